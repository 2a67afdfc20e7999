"""A connection of its own to a database, for short statements that must not wait behind others."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from engine.store.database import Database, locker
from engine.store.dialects import translate

T = TypeVar("T")

#: Seconds for which the end waits for work that is under way: the server may be cut off.
CLOSE_SECONDS = 1.0


class OwnLine:
    """One connection, made when it is needed and anew after it broke; each statement is a transaction."""

    def __init__(self, database: Database) -> None:
        """Prepare it; nothing is opened yet."""
        self._engine = locker(database, f"moontide on {socket.gethostname()}, process {os.getpid()}")
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def do(self, work: Callable[[Connection], T]) -> T:
        """Carry out some work and return what it returns; it blocks.

        Raises:
            StoreUnavailable, StoreError: the database could not do it, or nobody knows whether it did.
        """
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._engine.connect()
                return work(self._connection)
            except DBAPIError as error:
                self._drop()
                raise translate(error) from error

    def close(self) -> None:
        """Close the connection, unless work is under way that does not come to its end."""
        if self._lock.acquire(timeout=CLOSE_SECONDS):
            try:
                self._drop()
            finally:
                self._lock.release()
        self._engine.dispose()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
