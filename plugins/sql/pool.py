"""A few open connections to one database, lent to one call (or one run) at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from moontide import CoreError
from plugins.sql.driver import OVER_LIMIT, Connection
from plugins.sql.turns import Turns

logger = logging.getLogger("moontide.sql")

#: A connection that lay idle for longer is asked first whether it still works.
TRUSTED_SECONDS = 1.0

#: How long putting a connection back in order, or closing it, may take.
TIDY_SECONDS = 5.0


class Pool:
    """Lends connections, and opens new ones up to a limit."""

    def __init__(
        self,
        open_connection: Callable[[], Awaitable[Connection]],
        *,
        name: str,
        size: int,
        wait_seconds: float,
    ) -> None:
        """Make a pool; nothing is opened yet.

        Args:
            name: of the database, for errors.
            size: how many connections may be open at once.
            wait_seconds: how long to wait for one when all are lent.
        """
        self._open = open_connection
        self._name = name
        self._size = size
        self._wait_seconds = wait_seconds
        self._turns = Turns(size)
        self._idle: list[tuple[Connection, float]] = []
        self._tidying: set[asyncio.Task[None]] = set()
        self._closed = False

    def at_hand(self) -> Connection | None:
        """Borrow, without waiting, a connection that came back only just now; None if there is none."""
        idle = self._idle
        if not idle or time.monotonic() - idle[-1][1] >= TRUSTED_SECONDS or not self._turns.take():
            return None
        return idle.pop()[0]

    async def acquire(self) -> Connection:
        """Borrow a connection; each one must be given to `give_back` or `discard`.

        Raises:
            CoreError: all stayed lent, or the pool is closed.
            QueryError: none could be opened.
        """
        if self._closed:
            raise CoreError(f"database {self._name!r} is closed; the engine is stopping", OVER_LIMIT)
        if (connection := self.at_hand()) is not None:
            return connection
        await self._wait_for_turn()
        try:
            return self._trusted() or await self._working() or await self._open()
        except BaseException:
            self._turns.give_back()
            raise

    def give_back(self, connection: Connection, *, touched: bool) -> None:
        """Take a connection back.

        Args:
            touched: statements may have left state in it, which the next borrower must not meet.
        """
        if touched:
            self._tidy(self._reset(connection))
        else:
            self._keep(connection)
            self._turns.give_back()

    def discard(self, connection: Connection) -> None:
        """Take a connection back that is of no more use, and stop what it still does."""
        self._tidy(self._abort(connection))

    async def close(self) -> None:
        """Close what is idle; lent connections are closed when they come back."""
        self._closed = True
        while self._idle:
            connection, _ = self._idle.pop()
            self._tidy(self._close(connection), lent=False)
        while self._tidying:
            await asyncio.wait(self._tidying)

    async def _wait_for_turn(self) -> None:
        if self._turns.take():
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._turns.wait()
        except TimeoutError as error:
            raise CoreError(
                f"all {self._size} connections of database {self._name!r} stayed in use for "
                f"{self._wait_seconds:g} s; close some, or raise its setting connections",
                OVER_LIMIT,
            ) from error

    def _trusted(self) -> Connection | None:
        """Take the connection that came back last, if that was only just now."""
        if self._idle and time.monotonic() - self._idle[-1][1] < TRUSTED_SECONDS:
            return self._idle.pop()[0]
        return None

    async def _working(self) -> Connection | None:
        while self._idle:
            connection, _ = self._idle.pop()
            try:
                async with asyncio.timeout(TIDY_SECONDS):
                    await connection.ping()
            except Exception as error:
                logger.debug("a connection of %s broke while idle: %s", self._name, type(error).__name__)
                self._tidy(self._close(connection), lent=False)
            except BaseException:
                self._tidy(self._close(connection), lent=False)
                raise
            else:
                return connection
        return None

    def _keep(self, connection: Connection) -> None:
        if self._closed:
            self._tidy(self._close(connection), lent=False)
        else:
            self._idle.append((connection, time.monotonic()))

    def _tidy(self, work: Coroutine[Any, Any, None], *, lent: bool = True) -> None:
        """Carry work out in the background: neither a call nor the end of a run waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tidying.add(task)
        task.add_done_callback(self._tidying.discard)
        if lent:
            task.add_done_callback(lambda _: self._turns.give_back())

    async def _reset(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(TIDY_SECONDS):
                await connection.reset()
        except Exception as error:
            logger.debug("a connection of %s could not be reset: %s", self._name, type(error).__name__)
            await self._abort(connection)
        else:
            self._keep(connection)

    async def _abort(self, connection: Connection) -> None:
        connection.deadline.close()
        await self._within_limit(connection.abort())

    async def _close(self, connection: Connection) -> None:
        connection.deadline.close()
        await self._within_limit(connection.close())

    async def _within_limit(self, closing: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(TIDY_SECONDS):
                await closing
        except Exception as error:
            logger.debug("a connection of %s did not close well: %s", self._name, type(error).__name__)
