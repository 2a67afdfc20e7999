"""The driver of core.mysql: one connection to a server. Imported with the first connection."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from asyncmy.connection import Connection as Wire
from asyncmy.constants import FIELD_TYPE
from asyncmy.constants.CLIENT import FOUND_ROWS, MULTI_STATEMENTS
from asyncmy.converters import conversions
from asyncmy.cursors import SSCursor
from asyncmy.errors import InterfaceError, MySQLError

from moontide import CoreError, Deadline
from plugins.sql.build import Statement
from plugins.sql.driver import (
    OVER_LIMIT,
    TOO_LARGE,
    Address,
    Limits,
    QueryError,
    Result,
    Rows,
    TimeLimitError,
    pythonic_number,
    tls_words,
)
from plugins.sql.mysql_intake import MysqlIntake
from plugins.sql.mysql_prepared import PreparedSelects, columns_of

CHUNK_ROWS = 100

COM_RESET_CONNECTION = 0x1F

CANNOT_CONNECT = 2003
LOST = 2013

#: The server closed the connection, or what it says can no longer be understood.
_LOST_CODES = frozenset({0, 1053, 1927, 2006, 2013, 2014, 2027, 2055, 4031})

#: How MariaDB and MySQL say that they ended a statement because of the time limit.
_TIME_LIMIT_CODES = frozenset({1969, 3024})

_DATES = (FIELD_TYPE.DATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME)
_DECIMALS = (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL)

#: From MySQL's types to plain data, and from a job's values to literals.
CONVERSIONS: dict[Any, Any] = {
    **{kind: decoder for kind, decoder in conversions.items() if kind not in _DATES},
    **dict.fromkeys(_DECIMALS, pythonic_number),
    FIELD_TYPE.BIT: lambda bits: int.from_bytes(bits, "big"),
}


class QuietCursor(SSCursor):
    """Reads row by row, and leaves the server's warnings alone."""

    async def _show_warnings(self, conn: Any) -> None:
        return None


class MysqlConnection:
    """One connection to a MariaDB or MySQL server."""

    def __init__(self, wire: Any, address: Address) -> None:
        self.deadline = Deadline()
        self._wire = wire
        self._address = address
        self._intake = MysqlIntake(wire)
        self._prepares = address.ip is None and _is_mariadb(wire)
        self._prepared = PreparedSelects(wire)

    async def run(self, statement: Statement, limits: Limits) -> Result:
        """Carry out a statement."""
        try:
            self._intake.begin()
            # A prepared statement's rows are read at once: not from a server that a job named, which may send
            # millions where a few were asked for. MySQL treats values in them by other rules than in text.
            if statement.few and self._prepares:
                rows = await self._prepared.run(statement, limits)
                if rows is not None:
                    return Result(rows)
            return await self._run_text(statement, limits)
        except MySQLError as error:
            raise self._translated(error) from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise self._lost(LOST) from error

    async def _run_text(self, statement: Statement, limits: Limits) -> Result:
        cursor = self._wire.cursor(QuietCursor)
        await cursor.execute(statement.spelled(self._wire.literal))
        if cursor.description is None:
            return Result(None, affected=cursor.rowcount, last_id=cursor.lastrowid)
        if statement.few:
            self._prepared.came(statement, cursor.description)
        rows = Rows(columns_of(cursor.description), limits.rows)
        read = CHUNK_ROWS
        while read == CHUNK_ROWS:
            chunk = await cursor.fetchmany(CHUNK_ROWS)
            rows.add(chunk)
            read = len(chunk)
        await cursor.close()
        return Result(rows.rows)

    def _translated(self, error: MySQLError) -> Exception:
        code = _code_of(error)
        if code in _TIME_LIMIT_CODES:
            return TimeLimitError()
        if isinstance(error, InterfaceError) or code in _LOST_CODES or not self._wire.connected:
            return self._lost(code or LOST)
        return QueryError(_words_of(error), code)

    def _lost(self, code: int) -> Exception:
        if self._intake.cut:
            return CoreError(TOO_LARGE, OVER_LIMIT)
        return QueryError("the connection to the server was lost", code, lost=True)

    async def prepare(self) -> None:
        """Bring the session to the state that every statement may rely on."""
        limit = "max_statement_time" if _is_mariadb(self._wire) else "max_execution_time"
        seconds = self._address.query_seconds
        value = f"{seconds:g}" if limit == "max_statement_time" else f"{seconds * 1000:.0f}"
        # The driver writes values with backslashes, and so does core.mysql.escape.
        sql_mode = "REPLACE(@@GLOBAL.sql_mode, 'NO_BACKSLASH_ESCAPES', '')"
        await self._wire.query(
            f"SET NAMES utf8mb4, SESSION sql_mode={sql_mode}, SESSION {limit}={value}, SESSION autocommit=1"
        )

    async def ping(self) -> None:
        """Make sure that the server still answers."""
        await self._wire.ping(reconnect=False)

    async def reset(self) -> None:
        """Forget transactions, variables, locks and temporary tables."""
        await self._wire._execute_command(COM_RESET_CONNECTION, b"")
        await self._wire._read_ok_packet()
        self._prepared.forget()
        await self.prepare()

    async def close(self) -> None:
        """Say good-bye to the server and close."""
        await self._wire.ensure_closed()

    async def abort(self) -> None:
        """End the connection, and by another one what the server still does for it."""
        number = self._wire.thread_id()
        self._wire.close()
        other = await _open(self._address)
        try:
            await other.query(f"KILL {number}")
        finally:
            await other.ensure_closed()


async def connect(address: Address) -> MysqlConnection:
    """Open a connection.

    Raises:
        QueryError: the server cannot be reached, or does not let us in.
    """
    try:
        async with asyncio.timeout(address.connect_seconds):
            wire = await _open(address)
            try:
                connection = MysqlConnection(wire, address)
                await connection.prepare()
            except BaseException:
                wire.close()
                raise
            return connection
    except MySQLError as error:
        raise _refused(address, error) from error
    except (OSError, asyncio.IncompleteReadError) as error:  # TimeoutError is an OSError
        raise QueryError(_unreachable(address), CANNOT_CONNECT, lost=True) from error


async def _open(address: Address) -> Any:
    wire: Any = Wire(  # type: ignore[no-untyped-call]
        host=address.ip or address.host,
        port=address.port,
        user=address.user or "",
        password=(address.password or "").encode(),
        database=address.database,
        connect_timeout=address.connect_seconds,
        conv=CONVERSIONS,
        client_flag=FOUND_ROWS,
        local_infile=False,
        autocommit=True,
        ssl=await asyncio.to_thread(_tls, address.tls_ca) if address.tls else None,
    )
    wire._client_flag &= ~MULTI_STATEMENTS
    await wire.connect()
    return wire


def _is_mariadb(wire: Any) -> bool:
    return "MariaDB" in wire.get_server_info()


def _tls(authorities: str | None) -> ssl.SSLContext:
    """Return how to check the server; reads files."""
    return ssl.create_default_context(cafile=authorities)


def _refused(address: Address, error: MySQLError) -> QueryError:
    code = _code_of(error)
    if isinstance(error.__cause__, ssl.SSLError):
        return QueryError(tls_words(address, str(error.__cause__)), CANNOT_CONNECT, lost=True)
    if code >= 2000 or code == 0:
        return QueryError(_unreachable(address), code or CANNOT_CONNECT, lost=True)
    return QueryError(_words_of(error), code, lost=True)


def _unreachable(address: Address) -> str:
    return f"the server of database {address.database!r} cannot be reached or does not answer"


def _code_of(error: MySQLError) -> int:
    code = error.args[0] if error.args else 0
    return code if isinstance(code, int) else 0


def _words_of(error: MySQLError) -> str:
    return str(error.args[1]) if len(error.args) > 1 else "the server refused the statement"
