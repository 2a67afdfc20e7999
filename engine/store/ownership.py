"""One engine for each database on a server.

The server holds the lock for a connection, and lets it go when that ends. So the connection is watched,
without asking again and again: when it breaks, the lock is taken anew. Between the two another engine may
have taken the database over; it has closed the session of this one then, which is how this one knows.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Integer, literal_column, select, text
from sqlalchemy.exc import DBAPIError

from engine.errors import ServerInUse, SessionClosed
from engine.store.claim import session_closed
from engine.store.database import Database, locker
from engine.store.dialects import translate
from engine.store.models import SESSION

logger = logging.getLogger("moontide.store")

#: Seconds that a start waits for the lock: an engine that was killed holds it until the server notices.
WAIT_SECONDS = 5.0

#: Seconds between attempts.
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0

# The first number stands for Moontide; the second for the schema, as several may share one database.
_KEY = "1836019566, hashtext(current_schema())"
_TAKE = text(f"SELECT pg_try_advisory_lock({_KEY})")
_HELD = (
    "locktype = 'advisory' AND granted AND classid = 1836019566 AND objsubid = 2 "
    "AND objid = (hashtext(current_schema())::bigint & 4294967295)::oid "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_HOLDER = text(
    "SELECT application_name, host(client_addr) FROM pg_locks JOIN pg_stat_activity USING (pid) "
    f"WHERE {_HELD}"
)

#: The server's process that holds the lock, or NULL; to stand in another question.
LOCK_HOLDER = literal_column(f"(SELECT min(pid) FROM pg_locks WHERE {_HELD})", Integer())


class Ownership:
    """Keeps other engines out of a database on a server."""

    def __init__(self, database: Database) -> None:
        """Prepare a lock; `acquire` takes it."""
        self._name = database.name
        self._engine = locker(database, f"moontide on {socket.gethostname()}, process {os.getpid()}")
        self._connection: Connection | None = None
        self._has_lock = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watched: int | None = None
        self._mending: asyncio.Task[None] | None = None
        self._session = 0
        self._on_closed: Callable[[SessionClosed], None] = lambda error: None

    def acquire(self, wait_seconds: float = WAIT_SECONDS) -> None:
        """Take the lock; it blocks.

        Raises:
            ServerInUse: another engine holds it.
            StoreUnavailable: the server cannot be reached.
        """
        deadline = time.monotonic() + wait_seconds
        while not self.try_acquire():
            if time.monotonic() > deadline:
                raise self.in_use()
            time.sleep(FIRST_PAUSE)

    def try_acquire(self) -> bool:
        """Return whether the lock is this engine's, after an attempt to take it if it was not; it blocks.

        Raises:
            StoreUnavailable: the server cannot be reached.
        """
        if self._has_lock:
            return True
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            self._has_lock = bool(self._connection.scalar(_TAKE))
        except DBAPIError as error:
            self._disconnect()
            raise translate(error) from error
        return self._has_lock

    def in_use(self) -> ServerInUse:
        """Return the error for a database that another engine works on; it blocks.

        Raises:
            StoreUnavailable: the server cannot be reached.
        """
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            holder = self._holder(self._connection)
        except DBAPIError as error:
            self._disconnect()
            raise translate(error) from error
        return ServerInUse(
            f"an engine already works on {self._name} ({holder}); "
            "stop it first, or stand by with `moontide serve`, or give this home a database of its own"
        )

    @property
    def backend(self) -> int:
        """The server's process that holds the lock; 0 while it is lost."""
        connection = self._connection
        if connection is None or not self._has_lock:
            return 0
        driver: Any = connection.connection.dbapi_connection
        return int(driver.info.backend_pid)

    def let_go(self) -> None:
        """Let the lock go, and take it again by `try_acquire`; it blocks."""
        if self._has_lock:
            self._disconnect()

    def keep(self, session: int, on_closed: Callable[[SessionClosed], None]) -> None:
        """Watch the lock from now on, and take it anew when the connection breaks; call it on the loop.

        Args:
            session: the id of this engine's session.
            on_closed: called when another engine has closed that session.
        """
        self._loop = asyncio.get_running_loop()
        self._session, self._on_closed = session, on_closed
        self._watch()

    async def stop(self) -> None:
        """Let other engines in."""
        self._unwatch()
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.wait({self._mending})
        await asyncio.to_thread(self.release)

    def release(self) -> None:
        """Let others in, where the lock was not kept by `keep`; it blocks."""
        self._disconnect()
        self._engine.dispose()

    # The connection is quiet: when its socket can be read, it has ended, or the server has some news.

    def _watch(self) -> None:
        assert self._loop is not None
        if self._connection is not None:
            driver: Any = self._connection.connection.dbapi_connection
            self._watched = driver.fileno()
            self._loop.add_reader(self._watched, self._heard)

    def _unwatch(self) -> None:
        if self._loop is not None and self._watched is not None:
            self._loop.remove_reader(self._watched)
        self._watched = None

    def _heard(self) -> None:
        self._unwatch()
        assert self._loop is not None
        self._mending = self._loop.create_task(self._mend(), name="database lock")

    async def _mend(self) -> None:
        pause = FIRST_PAUSE
        while not await asyncio.to_thread(self._holds):
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        self._watch()

    def _holds(self) -> bool:
        """Take the lock anew if it is lost; return whether it is there, or of no use any more."""
        try:
            if self._connection is not None and self._connection.scalar(text("SELECT true")):
                return True
        except DBAPIError as error:
            logger.warning("the lock on the database is lost, and taken anew: %s", translate(error))
            self._disconnect()
        try:
            return self._retake()
        except DBAPIError as error:
            logger.debug("the lock on the database cannot be taken yet: %s", translate(error))
            return False

    def _retake(self) -> bool:
        connection, taken = self._engine.connect(), False
        try:
            if not self._is_session_open(connection):
                self._tell(session_closed(self._session))
                return True
            taken = bool(connection.scalar(_TAKE))
        finally:
            if not taken:
                connection.close()
        if taken:
            self._connection, self._has_lock = connection, True
            logger.warning("the lock on the database is taken again")
        return taken

    def _is_session_open(self, connection: Connection) -> bool:
        chosen = select(SESSION.c.id).where(SESSION.c.id == self._session, SESSION.c.ended.is_(None))
        return connection.scalar(chosen) is not None

    def _tell(self, error: SessionClosed) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._on_closed, error)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._has_lock = False
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _holder(self, connection: Connection) -> str:
        row = connection.execute(_HOLDER).first()
        return "it ended a moment ago" if row is None else f"{row[0]} from {row[1] or 'the same machine'}"
