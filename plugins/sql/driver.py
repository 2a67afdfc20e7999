"""What the shared part wants from a database driver, and what a driver gives back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import Struct

from moontide import CoreError, Deadline
from plugins.sql.build import Statement

#: General API error: the statement was all right, but went over a limit.
OVER_LIMIT = 810

#: What a result may take on its way into Lua; the engine's own limit is a little higher.
MOST_RESULT_BYTES = 1_000_000

TOO_LARGE = "the rows are larger than 1 MB; ask for fewer rows or columns"

_CELL_BYTES = 9
_LUA_INTEGERS = range(-(2**63), 2**63)


class QueryError(Exception):
    """The database refused something, or is gone.

    Attributes:
        message: for the job; it holds no password.
        code: the database's own number, or one of the general codes.
        lost: the connection cannot be used any more.
    """

    def __init__(self, message: str, code: int, *, lost: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.lost = lost


class TimeLimitError(Exception):
    """The database itself stopped the statement because it took too long."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one statement may take."""

    seconds: float
    rows: int


class Result(Struct, frozen=True):
    """What a statement gave.

    Attributes:
        rows: the rows of a statement that gives some, None of another.
        affected: rows that an INSERT, UPDATE or DELETE was about; updated ones count also if they had the
            value already.
        last_id: the id that the database made for a new row; None where it tells none.
    """

    rows: list[dict[str, Any]] | None
    affected: int = 0
    last_id: int | str | None = None


class Columns(Struct, frozen=True):
    """The columns of a result.

    Attributes:
        names: in their order.
        row_bytes: what a row takes on its way into Lua, without the text in it.
    """

    names: tuple[str, ...]
    row_bytes: int

    @classmethod
    def named(cls, names: Iterable[str]) -> Columns:
        """Return columns of these names."""
        kept = tuple(names)
        return cls(kept, sum(len(name) + _CELL_BYTES + 5 for name in kept))


class Rows:
    """Collects rows as plain data, up to the limits."""

    def __init__(self, columns: Columns, most_rows: int) -> None:
        self.rows: list[dict[str, Any]] = []
        self._columns = columns
        self._most_rows = most_rows
        self._bytes = 0

    def add(self, found: Iterable[Sequence[Any]]) -> None:
        """Take more rows.

        Raises:
            CoreError: they are too many, or too large.
        """
        names, row_bytes = self._columns.names, self._columns.row_bytes
        for row in found:
            if len(self.rows) >= self._most_rows:
                raise CoreError(f"more than {self._most_rows} rows; ask for fewer with limit", OVER_LIMIT)
            self._bytes += row_bytes
            cells = dict(zip(names, row, strict=True))
            for column, value in cells.items():
                kind = type(value)
                if kind is str or kind is bytes:
                    self._bytes += len(value)
                elif kind is int and value not in _LUA_INTEGERS:
                    cells[column] = str(value)
            self.rows.append(cells)
            if self._bytes > MOST_RESULT_BYTES:
                raise CoreError(TOO_LARGE, OVER_LIMIT)


class Connection(Protocol):
    """One open connection; it carries out one statement at a time.

    Attributes:
        deadline: for the time limit of one statement after another.
    """

    deadline: Deadline

    async def run(self, statement: Statement, limits: Limits) -> Result:
        """Carry out a statement.

        Raises:
            QueryError: the database refused it, or is gone.
            TimeLimitError: the database stopped it.
            CoreError: its rows are over a limit; the connection is no longer usable.
        """

    async def ping(self) -> None:
        """Make sure that the database still answers; raises whatever comes if not."""

    async def reset(self) -> None:
        """Forget all state that statements left: transactions, variables, locks, temporary tables."""

    async def close(self) -> None:
        """Close it in good order."""

    async def abort(self) -> None:
        """Stop what it carries out, also in the server, and close it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is, and who wants in.

    Attributes:
        host: as it was named.
        ip: the checked address behind it, for hosts that a job named; None leaves the look-up to the driver.
        tls: whether the connection must be encrypted and the server's certificate good.
        tls_ca: the path of a file with the certificates to trust instead of the system's.
        file: the path of a database that is a file.
        connect_seconds: how long connecting may take.
        query_seconds: how long the server may work on one statement.
    """

    database: str
    host: str = ""
    port: int = 0
    ip: str | None = None
    user: str | None = None
    password: str | None = None
    tls: bool = False
    tls_ca: str | None = None
    file: str = ""
    connect_seconds: float = 10
    query_seconds: float = 30

    def __repr__(self) -> str:
        return f"Address({self.database!r})"


class Connect(Protocol):
    """Opens connections of one kind of database."""

    async def __call__(self, address: Address) -> Connection:
        """Open a connection.

        Raises:
            QueryError: it did not open.
        """


def tls_words(address: Address, told: str) -> str:
    """Return why there is no trusted connection, from what the TLS library told."""
    server = f"the server of database {address.database!r}"
    if "certificate" not in told:
        return f"{server} does not speak TLS"
    return (
        f"{server} has a certificate that is not trusted: name its authority's file in tls_ca, and the host "
        "as the certificate does"
    )


def pythonic_number(text: str) -> int | float:
    """Return a DECIMAL as a number: an integer if it is whole."""
    whole, _, fraction = text.partition(".")
    if fraction.strip("0") or not whole.lstrip("+-").isdigit():
        return float(text)
    return int(whole)
