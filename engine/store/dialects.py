"""The few things in which SQLite and PostgreSQL differ.

This is the only file that asks which of them it is; all others use what is written here.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    text,
    true,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.types import NullType

from engine.errors import StoreError, StoreUnavailable

T = TypeVar("T")

_SQLITE, _POSTGRESQL = "sqlite", "postgresql"

#: An id of 64 bits; on SQLite the row id itself, which costs no second index.
BIG_ID = BigInteger().with_variant(Integer(), _SQLITE)

#: Table options: rows are kept in the order of their primary key, without a second index.
CLUSTERED = {"sqlite_with_rowid": False}


def choose(dialect: str, *, sqlite: T, postgresql: T) -> T:
    """Return what is for a database.

    Args:
        dialect: the name of the connection's dialect.
    """
    return sqlite if dialect == _SQLITE else postgresql


# Places


def sqlite_url(path: Path) -> URL:
    """Return the URL of an SQLite file."""
    return URL.create(_SQLITE, database=str(path))


def is_server(url: URL) -> bool:
    """Whether a database is on a server."""
    return url.get_backend_name() != _SQLITE


def file_of(url: str | URL) -> Path | None:
    """Return the file of a database, or None for one on a server or in memory."""
    parsed = make_url(url)
    if is_server(parsed) or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database)


def copy_file(source: Path, target: Path) -> None:
    """Copy the file of a database as it is committed at one moment; it may be written to meanwhile.

    Raises:
        StoreError: it cannot be read, or the copy cannot be written.
    """
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
    except sqlite3.Error as error:
        raise StoreError(f"the database {source} cannot be copied: {error}") from error


def is_open_elsewhere(file: Path) -> bool:
    """Whether another connection has the file of a database open, here or in another process.

    Raises:
        StoreError: it cannot be told, as the file is no database or cannot be written.
    """
    try:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as connection:
            # Before the first look into the file: a connection that keeps it for itself shares it with none.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return True
        raise StoreError(f"the database {file} cannot be used: {error}") from error
    except sqlite3.Error as error:
        raise StoreError(f"the database {file} cannot be used: {error}") from error
    return False


# Tables


def index_of_few(name: str, *columns: str, where: str) -> Index:
    """Return an index of those rows only that fulfil a condition."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def has_parts(dialect: str) -> bool:
    """Whether the history is kept in parts (see `engine.store.months`)."""
    return choose(dialect, sqlite=False, postgresql=True)


def time_processor(dialect: Dialect) -> Callable[[datetime | None], Any] | None:
    """Return what makes a driver's value of a time; None where the driver takes it as it is.

    SQLite gets many, as text: this writes them as SQLAlchemy does, in a quarter of the time.
    """
    return choose(dialect.name, sqlite=_time_as_text, postgresql=None)


def in_utc(value: datetime) -> datetime:
    """Return a time in UTC.

    Raises:
        ValueError: it has no time zone.
    """
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _time_as_text(value: datetime | None) -> str | None:
    return None if value is None else in_utc(value).isoformat(" ", "microseconds")[:26]


# Statements


@lru_cache(maxsize=256)
def upsert(dialect: str, table: Table, keys: tuple[str, ...], replaced: tuple[str, ...]) -> Any:
    """Return an insert that replaces the columns `replaced` where a row with these `keys` is there.

    Args:
        dialect: the name of the connection's dialect.
        replaced: none leaves the row that is there as it is.
    """
    insert: Any = choose(dialect, sqlite=sqlite.insert, postgresql=postgresql.insert)(table)
    if not replaced:
        return insert.on_conflict_do_nothing(index_elements=list(keys))
    return insert.on_conflict_do_update(
        index_elements=list(keys), set_={column: insert.excluded[column] for column in replaced}
    )


def name_like(dialect: str, column: Any, pattern: str) -> Any:
    """Return the condition that a name fits a pattern: `*` is any characters, `?` any one of them.

    Args:
        dialect: the name of the connection's dialect.
    """
    if dialect == _SQLITE:
        return column.op("GLOB")(pattern.replace("[", "[[]"))
    escaped = re.sub(r"([\\%_])", r"\\\1", pattern)
    return column.like(escaped.replace("*", "%").replace("?", "_"), escape="\\")


def size_of_json(dialect: str, column: Column[Any]) -> ColumnElement[int]:
    """Return what tells the size of a JSON column in bytes, without its being read into the engine."""
    if dialect == _SQLITE:
        return func.length(cast(column, LargeBinary))
    return func.octet_length(cast(column, Text))


def json_field_is(dialect: str, column: Column[Any], name: str, value: str) -> ColumnElement[bool]:
    """Return the condition that a field of a JSON object is a text, or may be.

    PostgreSQL cannot look into an object with zero bytes in it: those meet the condition too.
    """
    equal: ColumnElement[bool] = column[name].as_string() == value
    if dialect == _SQLITE:
        return equal
    return case((func.strpos(cast(column, Text), r"\u0000") > 0, true()), else_=equal)


def execute_many(connection: Connection, statement: str, rows: list[Any]) -> int:
    """Carry out a compiled statement for each row, in a transaction; return how many rows it changed.

    Raises:
        DBAPIError: the database refused it.
    """
    assert connection.in_transaction(), "each statement would be a transaction of its own"
    return _execute_bare(connection, statement, rows)


def begin_writing(connection: Connection) -> None:
    """Begin a transaction on a connection to SQLite that is to write.

    Raises:
        DBAPIError: the database refused it.
    """
    # A transaction that begins as a reader cannot wait for a lock when it starts to write.
    _execute_bare(connection, "BEGIN IMMEDIATE")


def _execute_bare(connection: Connection, statement: str, rows: list[Any] | None = None) -> int:
    """Carry out a statement, for each of some rows: SQLAlchemy's part costs as much as the database's."""
    refused = connection.dialect.loaded_dbapi.Error
    cursor = connection.connection.cursor()
    try:
        if rows is None:
            cursor.execute(statement)
        elif len(rows) == 1:
            # A pipeline of one costs psycopg as much again.
            cursor.execute(statement, rows[0])
        else:
            cursor.executemany(statement, rows)
        return int(cursor.rowcount)
    except refused as error:
        raise DBAPIError.instance(statement, None, error, refused, dialect=connection.dialect) from error
    finally:
        cursor.close()


def server_now(dialect: str, plus_seconds: float = 0.0) -> ColumnElement[Any]:
    """Return what tells the time by the database's own clock: of a server, or of this machine.

    Args:
        dialect: the name of the connection's dialect.
        plus_seconds: so much later, or earlier if it is negative.
    """
    if dialect == _SQLITE:
        shift = f"{plus_seconds:+.3f} seconds"
        # It has milliseconds alone; times are kept with six digits.
        return func.strftime("%Y-%m-%d %H:%M:%f", "now", shift, type_=Text()) + "000"
    now: ColumnElement[Any] = func.clock_timestamp()
    return now + timedelta(seconds=plus_seconds) if plus_seconds else now


def step_of(dialect: str, moment: ColumnElement[Any], since: datetime, seconds: float) -> ColumnElement[Any]:
    """Return in which step of time a moment lies, counted from 0; of moments before, less than 1.

    Args:
        dialect: the name of the connection's dialect.
        since: where the first step begins.
        seconds: the length of a step.
    """
    begin = literal(since, moment.type)
    if dialect == _SQLITE:
        days = func.julianday(moment) - func.julianday(begin)
        return cast(days * (86_400 / seconds), Integer)
    return cast(func.floor(func.extract("epoch", moment - begin) / seconds), Integer)


# All rows at once


def snapshot(connection: Connection) -> Connection:
    """Return a connection that has not been used yet as one that sees one moment alone, for long."""
    if connection.dialect.name == _SQLITE:
        return connection
    connection = connection.execution_options(isolation_level="REPEATABLE READ")
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    return connection


def json_to_text(dialect: str, column: Column[Any]) -> ColumnElement[Any]:
    """Return a JSON column as it stands there; from SQLite a number that stands alone comes as a number."""
    text_of: ColumnElement[Any] = cast(column, Text)
    raw: ColumnElement[Any] = type_coerce(column, NullType)
    return choose(dialect, sqlite=raw, postgresql=text_of).label(column.name)


def json_from_text(dialect: str, column: Column[Any]) -> ColumnElement[Any]:
    """Return what writes a JSON column from its text, bound by its name."""
    bound = bindparam(column.name, type_=Text())
    return choose(dialect, sqlite=type_coerce(bound, Text()), postgresql=cast(bound, JSON))


def set_sequence(connection: Connection, table: Table) -> None:
    """Let a table whose rows the database numbers go on after the highest number that is there."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name == _SQLITE:
        return
    highest = select(func.max(column)).scalar_subquery()
    sequence = func.pg_get_serial_sequence(table.name, column.name)
    connection.execute(select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None))))


# Errors


def translate(error: DBAPIError) -> StoreError:
    """Return a database error as one of ours.

    Returns:
        StoreUnavailable if nothing is wrong with the statement and it may work later, else StoreError.
    """
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        reason = _SQLITE_REASONS.get(code)
    else:
        reason = _reason_of_server(error, getattr(cause, "sqlstate", None))
    return _ours(reason, cause)


def translate_of_driver(state: str | None, lost: bool, error: Exception) -> StoreError:
    """Return an error of a server's driver as one of ours, as `translate` does.

    Args:
        state: the server's code for it, if it has said one.
        lost: whether it is of a kind that says nothing against the statement.
    """
    known = _first_known(_SERVER_REASONS, state, state[:2]) if state else None
    return _ours(known or (_LOST if lost else None), error)


def _ours(reason: str | None, cause: BaseException | None) -> StoreError:
    words = " ".join(str(cause).split())
    return StoreUnavailable(f"{reason}: {words}") if reason else StoreError(f"the database refused: {words}")


def is_locked_elsewhere(error: DBAPIError) -> bool:
    """Whether a server refused a lock in time, as somebody else has it."""
    return getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def _reason_of_server(error: DBAPIError, state: str | None) -> str | None:
    if state is None:
        lost = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        return _LOST if lost else None
    return _first_known(_SERVER_REASONS, state, state[:2])


def _first_known(reasons: Mapping[str, str], *codes: str) -> str | None:
    return next((reasons[code] for code in codes if code in reasons), None)


_LOCK_NOT_AVAILABLE = "55P03"
_LOST = "the connection to the database is lost"

#: Primary result codes of SQLite after which the same statement may work later, in words.
_SQLITE_REASONS = {
    sqlite3.SQLITE_FULL: "the disk of the database is full",
    sqlite3.SQLITE_BUSY: "the database is locked by another program",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_PERM: "the database may not be written",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk of the database fails",
    sqlite3.SQLITE_PROTOCOL: "the database is locked by another program",
    sqlite3.SQLITE_NOMEM: "there is no memory left for the database",
    sqlite3.SQLITE_CORRUPT: "the database is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
}

#: The same for PostgreSQL: its codes, and the first two signs of them for whole classes.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_SERVER_REASONS = {
    "08": _LOST,
    "25006": "the database is read-only",
    "25P03": _LOST,
    "28": "the database does not let the engine in",
    "3D": "the database is not there",
    "40": "the database could not finish two things at once",
    "42501": "the database may not be written",
    "53": "the database server has no room left",
    "53100": "the disk of the database is full",
    "53300": "the database server takes no more connections",
    _LOCK_NOT_AVAILABLE: "the database is locked by another program",
    "57": _LOST,
    "57014": "the database server broke a statement off",
    "57P03": "the database server starts or stops",
    "58": "the disk of the database fails",
    "XX001": "the database is damaged",
    "XX002": "the database is damaged",
}
