"""Opening the database, and the few things in which SQLite and PostgreSQL differ.

This is the only file that knows which database it talks to; all others use what is written here.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Engine, Integer, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from engine.errors import StoreError, StoreUnavailable

#: An id of 64 bits; on SQLite the row id itself, which costs no second index.
BIG_ID = BigInteger().with_variant(Integer(), "sqlite")

#: Table options: rows are kept in the order of their primary key, without a second index.
CLUSTERED = {"sqlite_with_rowid": False}

READERS = 5


@dataclass(frozen=True, slots=True)
class Database:
    """An open database.

    Attributes:
        name: its URL without the password, to show.
        writer: one connection, for the journal's thread alone.
        reader: a pool of connections that cannot write and see what is committed.
    """

    name: str
    writer: Engine
    reader: Engine

    @property
    def file(self) -> Path | None:
        """The file that holds it; None for one on a server or in memory."""
        path = self.writer.url.database
        on_disk = self.writer.dialect.name == "sqlite" and path and path != ":memory:"
        return Path(path) if on_disk and path else None

    def close(self) -> None:
        """Close all connections that are not in use."""
        self.reader.dispose()
        self.writer.dispose()


def sqlite_url(path: Path) -> URL:
    """Return the URL of an SQLite file."""
    return URL.create("sqlite", database=str(path))


def open_database(url: str | URL, *, busy_timeout_seconds: float = 1.0) -> Database:
    """Return a database's engines; nothing is read or written yet (see `migrate`).

    Args:
        url: an SQLAlchemy URL, such as `sqlite:////srv/home/moontide.db`.
        busy_timeout_seconds: how long a write waits for another program's lock before it counts as
            refused.

    Raises:
        StoreError: the URL cannot be understood, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        writer = _engine(parsed, pool_size=1)
        reader = _engine(parsed, pool_size=READERS)
    except Exception as error:
        raise StoreError(f"the database URL cannot be used: {error}") from error
    if writer.dialect.name == "sqlite":
        _create_private_file(parsed.database)
        _prepare_sqlite(writer, reader, busy_timeout_seconds)
    else:
        _on_connect(reader, ("SET default_transaction_read_only = on",))
    name = parsed.render_as_string(hide_password=True)
    return Database(name, writer, reader.execution_options(isolation_level="AUTOCOMMIT"))


def _engine(url: URL, *, pool_size: int) -> Engine:
    return create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        # A server may have been restarted since the connection was last used; a file has not.
        pool_pre_ping=url.host is not None,
        json_serializer=_encode_json,
        json_deserializer=msgspec.json.decode,
    )


def _encode_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _create_private_file(path: str | None) -> None:
    """Let nobody else read what jobs log and keep; SQLite gives its other files the same mode."""
    if path and path != ":memory:":
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _prepare_sqlite(writer: Engine, reader: Engine, busy_timeout_seconds: float) -> None:
    common = (
        f"PRAGMA busy_timeout = {round(busy_timeout_seconds * 1000)}",
        "PRAGMA foreign_keys = ON",
        "PRAGMA temp_store = MEMORY",
    )
    for engine in (writer, reader):
        event.listen(engine, "connect", _leave_transactions_to_us)
    _on_connect(
        writer,
        (*common, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -16384"),
    )
    _on_connect(reader, (*common, "PRAGMA query_only = ON", "PRAGMA cache_size = -4096"))
    event.listen(writer, "begin", _begin_immediate)


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transactions begin too late; `_begin_immediate` does it instead.
    connection.isolation_level = None


def _on_connect(engine: Engine, statements: Sequence[str]) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()


def _begin_immediate(connection: Connection) -> None:
    # A transaction that begins as a reader cannot wait for a lock when it starts to write.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@lru_cache(maxsize=256)
def upsert(dialect: str, table: Table, keys: tuple[str, ...], replaced: tuple[str, ...]) -> Any:
    """Return an insert that replaces the columns `replaced` where a row with these `keys` is there.

    Args:
        dialect: the name of the connection's dialect.
        replaced: none leaves the row that is there as it is.
    """
    insert = _INSERTS[dialect](table)
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
    if dialect == "sqlite":
        return column.op("GLOB")(pattern.replace("[", "[[]"))
    escaped = re.sub(r"([\\%_])", r"\\\1", pattern)
    return column.like(escaped.replace("*", "%").replace("?", "_"), escape="\\")


_INSERTS: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def translate(error: DBAPIError) -> StoreError:
    """Return a database error as one of ours.

    Returns:
        StoreUnavailable if nothing is wrong with the statement and it may work later, else StoreError.
    """
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _translate_sqlite(cause)
    if error.connection_invalidated:
        return StoreUnavailable(f"the connection to the database is lost: {cause}")
    return StoreError(f"the database refused: {cause}")


def _translate_sqlite(cause: sqlite3.Error) -> StoreError:
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    reason = _SQLITE_REASONS.get(code)
    if reason is None:
        return StoreError(f"the database refused: {cause}")
    return StoreUnavailable(f"{reason}: {cause}")


#: Primary result codes after which the same statement may work later, in words.
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
