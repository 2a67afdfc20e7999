"""Opening a database: one connection that writes, some that only read, and how each is set."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool, QueuePool

from engine.errors import StoreError
from engine.store.dialects import begin_writing, file_of, is_server

READERS = 5

#: Query parameters of a URL that are secrets.
_SECRETS = ("password", "sslpassword", "passfile", "sslkey")

#: Seconds within which a server that is cut off is noticed, by the network of this machine and by the server.
_CUT_OFF_SECONDS = 20

#: How libpq connects, where the URL does not say: it gives up in time, and notices when nobody answers.
#: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_CONNECTING = {
    "connect_timeout": "5",
    "application_name": "moontide",
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": str(_CUT_OFF_SECONDS * 1000),
}

#: The server notices within 20 s that this machine is gone, and lets go what its connection held.
_NOTICING = (
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    f"SET tcp_user_timeout = '{_CUT_OFF_SECONDS}s'",
)
_ON_SERVER = ("SET TIME ZONE 'UTC'",)

#: A commit is on disk when it returns; rows that are locked by others, or left locked by a connection that is
#: cut off, hold nothing up for long.
_ON_SERVER_WRITING = (
    *_ON_SERVER,
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'",
    "SET lock_timeout = '5s'",
    "SET idle_in_transaction_session_timeout = '30s'",
    *_NOTICING,
)
_ON_SERVER_READING = (*_ON_SERVER, "SET default_transaction_read_only = on")


@dataclass(frozen=True, slots=True)
class Database:
    """An open database.

    Attributes:
        name: its URL without secrets, to show.
        writer: one connection, for the journal's thread alone.
        reader: a pool of connections that cannot write and see what is committed.
        on_server: it may go away and come back, and engines of other homes and machines may reach it too.
    """

    name: str
    writer: Engine = field(repr=False)
    reader: Engine = field(repr=False)
    on_server: bool

    @property
    def file(self) -> Path | None:
        """The file that holds it; None for one on a server or in memory."""
        return file_of(self.writer.url)

    def close(self) -> None:
        """Close all connections that are not in use."""
        self.reader.dispose()
        self.writer.dispose()


def open_database(url: str | URL, *, busy_timeout_seconds: float = 1.0) -> Database:
    """Return a database's engines; nothing is read or written yet (see `migrate`).

    Args:
        url: an SQLAlchemy URL, such as `sqlite:////srv/home/moontide.db`.
        busy_timeout_seconds: how long a write waits for another program's lock on a file before it counts as
            refused.

    Raises:
        StoreError: the URL cannot be understood, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        on_server = is_server(parsed)
        options = connecting(parsed) if on_server else {}
        writer = _engine(parsed, options, pool_size=1)
        reader = _engine(parsed, options, pool_size=READERS)
    except Exception as error:
        raise StoreError(f"the database URL cannot be used: {error}") from error
    if on_server:
        _on_connect(writer, _ON_SERVER_WRITING)
        _on_connect(reader, _ON_SERVER_READING)
    else:
        _create_private_file(file_of(parsed))
        _prepare_file(writer, reader, busy_timeout_seconds)
    return Database(shown(parsed), writer, reader.execution_options(isolation_level="AUTOCOMMIT"), on_server)


def locker(database: Database, who: str) -> Engine:
    """Return what makes connections that hold a lock, each for as long as it lives.

    Args:
        who: what the server shows of them.
    """
    url = database.writer.url
    options = {**connecting(url), "application_name": who}
    engine = create_engine(url, poolclass=NullPool, connect_args=options, isolation_level="AUTOCOMMIT")
    _on_connect(engine, _NOTICING)
    return engine


def shown(url: str | URL) -> str:
    """Return a database's URL without secrets."""
    parsed = make_url(url)
    return parsed.difference_update_query(_SECRETS).render_as_string(hide_password=True)


def connecting(url: URL) -> dict[str, str]:
    """Return how to connect to a server, as far as the URL does not say."""
    return {name: value for name, value in _CONNECTING.items() if name not in url.query}


def _engine(url: URL, options: Mapping[str, str], *, pool_size: int) -> Engine:
    return create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        # A server may have been restarted since the connection was last used; a file has not.
        pool_pre_ping=bool(options),
        connect_args=dict(options),
        json_serializer=_encode_json,
        json_deserializer=msgspec.json.decode,
    )


def _encode_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _create_private_file(path: Path | None) -> None:
    """Let nobody else read what jobs log and keep; SQLite gives its other files the same mode."""
    if path is not None:
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _prepare_file(writer: Engine, reader: Engine, busy_timeout_seconds: float) -> None:
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
    event.listen(writer, "begin", begin_writing)


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transactions begin too late; `begin_writing` does it instead.
    connection.isolation_level = None


def _on_connect(engine: Engine, statements: Sequence[str]) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()
