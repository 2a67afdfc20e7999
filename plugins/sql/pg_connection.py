"""The driver of core.pg: one connection to a server. Imported with the first connection."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import AsyncConnection, generators, pq
from psycopg.pq import ExecStatus, TransactionStatus

from moontide import Deadline
from plugins.sql.build import Scalar, Statement
from plugins.sql.driver import (
    Address,
    Columns,
    Limits,
    QueryError,
    Result,
    Rows,
    TimeLimitError,
    pythonic_number,
    tls_words,
)
from plugins.sql.intake import Intake

CANCEL_SECONDS = 3.0

#: A failed statement; the message ends with PostgreSQL's own code, which has letters.
FAILED = 800
CANNOT_CONNECT = 815

#: SQLSTATE of a statement that the server ended: by its time limit, or because somebody asked for it.
_CANCELLED = "57014"

CHUNK_ROWS = 100

#: The first libpq that hands rows out in chunks; older ones do it one by one.
_LIBPQ_WITH_CHUNKS = 170_000

_ROWS = (ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK, ExecStatus.TUPLES_OK)
_COPIES = (ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH)


def _bytes_of(text: bytes) -> bytes:
    return bytes.fromhex(text[2:].decode("ascii"))


#: From PostgreSQL's types, by their numbers, to plain data; all others stay text.
LOADERS: dict[int, Callable[[bytes], Any]] = {
    16: lambda text: text == b"t",  # boolean
    17: _bytes_of,  # bytea
    20: int,  # bigint
    21: int,  # smallint
    23: int,  # integer
    26: int,  # oid
    700: float,  # real
    701: float,  # double precision
    1700: lambda text: pythonic_number(text.decode("ascii")),  # numeric
}


class PgConnection:
    """One connection to a PostgreSQL server.

    It goes below psycopg's cursors: those either hold a whole result in memory, however large, or cannot
    tell how many rows a change was about.
    """

    def __init__(self, wire: AsyncConnection[Any]) -> None:
        self.deadline = Deadline()
        self._wire = wire
        # A socket object of its own, on the connection that libpq reads: it only watches and cuts.
        self._socket = socket.socket(fileno=os.dup(wire.fileno()))
        self._intake = Intake(self._socket)

    async def run(self, statement: Statement, limits: Limits) -> Result:
        """Carry out a statement."""
        text = statement.render(lambda number: f"${number}")
        values = [_parameter(value) for value in statement.values]
        try:
            with self._intake:
                return await self._run(text.encode(), values, limits)
        except psycopg.Error as error:
            raise QueryError("the connection to the server was lost", CANNOT_CONNECT, lost=True) from error

    async def _run(self, text: bytes, values: list[bytes | None], limits: Limits) -> Result:
        async with self._wire.lock:
            # The extended protocol takes one statement only, whatever a job wrote.
            self._wire.pgconn.send_query_params(text, values)
            _ask_for_parts(self._wire.pgconn)
            await self._wire.wait(generators.send(self._wire.pgconn))
            return await self._read(limits)

    async def _read(self, limits: Limits) -> Result:
        rows: Rows | None = None
        affected = 0
        failure: Exception | None = None
        while (result := await self._wire.wait(generators.fetch(self._wire.pgconn))) is not None:
            if result.status in _ROWS:
                if rows is None:
                    rows = Rows(Columns.named(_columns_of(result)), limits.rows)
                rows.add(_rows_of(result))
            elif result.status in _COPIES:
                raise QueryError("COPY cannot be used here", FAILED, lost=True)
            elif result.status == ExecStatus.FATAL_ERROR:
                failure = self._failure(result)
            affected = result.command_tuples or 0
        if failure is not None:
            raise failure
        return Result(None if rows is None else rows.rows, affected=affected)

    def _failure(self, result: pq.abc.PGresult) -> Exception:
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode("ascii", "replace")
        words = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode("utf-8", "replace")
        if state == _CANCELLED:
            return TimeLimitError()
        if not state or self._wire.closed or state.startswith(("08", "57P")):
            return QueryError("the connection to the server was lost", CANNOT_CONNECT, lost=True)
        return QueryError(f"{words} (SQLSTATE {state})", FAILED)

    async def ping(self) -> None:
        """Make sure that the server still answers."""
        await self._wire.execute("SELECT 1")

    async def reset(self) -> None:
        """Forget transactions, variables, locks and temporary tables."""
        if self._wire.info.transaction_status != TransactionStatus.IDLE:
            await self._wire.execute("ROLLBACK")
        await self._wire.execute("DISCARD ALL")

    async def close(self) -> None:
        """Say good-bye to the server and close."""
        self._socket.close()
        await self._wire.close()

    async def abort(self) -> None:
        """End what the server still does, and the connection."""
        try:
            if not self._wire.closed:
                await self._wire.cancel_safe(timeout=CANCEL_SECONDS)
        finally:
            await self.close()


async def connect(address: Address) -> PgConnection:
    """Open a connection.

    Raises:
        QueryError: the server cannot be reached, or does not let us in.
    """
    options = {
        "statement_timeout": f"{address.query_seconds * 1000:.0f}",
        "DateStyle": "ISO",
        "TimeZone": "UTC",
        "IntervalStyle": "postgres",
        "bytea_output": "hex",
        "standard_conforming_strings": "on",
        "client_encoding": "UTF8",
    }
    try:
        wire = await AsyncConnection.connect(
            host=address.host,
            hostaddr=address.ip,
            port=address.port,
            dbname=address.database,
            user=address.user or "",
            password=address.password,
            # The password file of whoever runs the engine is not for jobs.
            passfile=os.devnull,
            connect_timeout=max(2, round(address.connect_seconds)),
            sslmode="verify-full" if address.tls else "prefer",
            sslrootcert=(address.tls_ca or "system") if address.tls else None,
            options=" ".join(f"-c {name}={value}" for name, value in options.items()),
            application_name="moontide",
            autocommit=True,
            prepare_threshold=None,
        )
    except psycopg.Error as error:
        raise _refused(address, error) from error
    return PgConnection(wire)


def _refused(address: Address, error: psycopg.Error) -> QueryError:
    words = str(error)
    if (
        "certificate verify failed" in words
        or "server certificate for" in words
        or "SSL was required" in words
    ):
        return QueryError(tls_words(address, words), CANNOT_CONNECT, lost=True)
    for sign, told in {
        "authentication failed": "does not accept the user or the password",
        "no password supplied": "wants a password",
        "does not exist": "knows no such user or database",
        "too many": "has too many connections already",
    }.items():
        if sign in words:
            return QueryError(
                f"the server of database {address.database!r} {told}", CANNOT_CONNECT, lost=True
            )
    return QueryError(
        f"the server of database {address.database!r} cannot be reached or does not answer",
        CANNOT_CONNECT,
        lost=True,
    )


def _ask_for_parts(wire: pq.abc.PGconn) -> None:
    if pq.version() >= _LIBPQ_WITH_CHUNKS:
        wire.set_chunked_rows_mode(CHUNK_ROWS)
    else:
        wire.set_single_row_mode()


def _parameter(value: Scalar) -> bytes | None:
    """Return a value as text that takes the type of the column which it is for."""
    match value:
        case None:
            return None
        case bool():
            return b"1" if value else b"0"
        case bytes():
            return b"\\x" + value.hex().encode()
        case str() if "\0" in value:
            raise QueryError("PostgreSQL keeps no text with a zero byte in it", FAILED)
        case _:
            return str(value).encode()


def _columns_of(result: pq.abc.PGresult) -> list[str]:
    return [(result.fname(column) or b"").decode("utf-8", "replace") for column in range(result.nfields)]


def _rows_of(result: pq.abc.PGresult) -> list[list[Any]]:
    loaders = [LOADERS.get(result.ftype(column), bytes.decode) for column in range(result.nfields)]
    return [
        [_loaded(load, result.get_value(row, column)) for column, load in enumerate(loaders)]
        for row in range(result.ntuples)
    ]


def _loaded(load: Callable[[bytes], Any], text: bytes | None) -> Any:
    return None if text is None else load(text)
