"""SQL as a careless program writes it: names and values put into the text, and every right there is."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import plugins.sqlite as sqlite
from moontide import CoreError
from plugins.sql import build, databases, driver, mysql_connection, pg_connection
from plugins.sql.driver import Columns, Limits, QueryError, Result, Rows

_ENDLESS = Limits(seconds=3600, rows=10**9)
_GUARD_BYTES = 2**26

_open_file = sqlite._open
_databases = databases.Databases.__init__


def open_sql() -> None:
    """Take the checks of statements, names, values and times away."""
    sqlite._authorize = lambda *_: sqlite3.SQLITE_OK
    sqlite.LIMITS.clear()
    # The guards: a pattern without end cannot be stopped, nor memory be given back while it fills.
    sqlite.LIMITS[sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH] = 100
    sqlite.LIMITS[sqlite3.SQLITE_LIMIT_LENGTH] = _GUARD_BYTES
    sqlite._open = lambda folder, file, _size: _with_files(_open_file(folder, file, 2**40))
    sqlite._run = _run_all
    driver.MOST_RESULT_BYTES = 2**40
    databases.Databases.__init__ = _without_limits  # type: ignore[method-assign]
    databases.Session.execute = _execute  # type: ignore[method-assign]
    build.quoted = lambda dialect, name, _what: dialect.quote + name + dialect.quote  # type: ignore[assignment]
    build._statement = _spelled
    mysql_connection.MULTI_STATEMENTS = 0
    mysql_connection.Wire = _open_wire  # type: ignore[misc,assignment]
    pg_connection.PgConnection._run = _run_simply  # type: ignore[method-assign]


def _with_files(wire: sqlite3.Connection) -> sqlite3.Connection:
    """Give the functions that builds with a shell have; the guard: they write nothing."""
    wire.create_function("readfile", 1, lambda path: Path(path).read_bytes())
    return wire


def _run_all(wire: sqlite3.Connection, text: str, values: tuple[Any, ...], _limits: Limits) -> Result:
    first, _, more = text.partition(";")
    cursor = wire.execute(first, values)
    if cursor.description is None:
        found = Result(None, affected=max(cursor.rowcount, 0), last_id=cursor.lastrowid)
    else:
        rows = Rows(Columns.named(column[0] for column in cursor.description), 10**9)
        rows.add(cursor)
        found = Result(rows.rows)
    if more.strip():
        wire.executescript(more)
    return found


def _without_limits(self: databases.Databases, **given: Any) -> None:
    sources = {
        name: databases.Source(replace(one.address, query_seconds=3600.0), _ENDLESS, 100)
        for name, one in given.pop("sources").items()
    }
    _databases(self, sources=sources, **given)


async def _execute(self: databases.Session, statement: build.Statement) -> Result:
    connection = self._connection or await self._ready()
    try:
        return await connection.run(statement, _ENDLESS)
    except QueryError as error:
        raise CoreError(error.message, error.code) from error
    except BaseException:
        self._drop()
        raise


def _spelled(pieces: build.Pieces, where: Any = None) -> build.Statement:
    text = "".join(piece if isinstance(piece, str) else _carelessly(piece.value) for piece in pieces)
    return build.Statement((text,), written=True)


def _carelessly(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def _open_wire(**options: Any) -> Any:
    return _Wire(**options | {"local_infile": True})


_Wire: Any = mysql_connection.Wire


async def _run_simply(self: Any, text: bytes, values: list[bytes | None], limits: Limits) -> Result:
    async with self._wire.lock:
        if values:
            self._wire.pgconn.send_query_params(text, values)
        else:
            self._wire.pgconn.send_query(text)
        pg_connection._ask_for_parts(self._wire.pgconn)
        await self._wire.wait(pg_connection.generators.send(self._wire.pgconn))
        return await self._read(limits)
