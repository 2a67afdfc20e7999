"""Connections of an event loop to a database server: one for short transactions, one that listens.

Both are made anew when they break, without a person, for as long as it takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.rows import tuple_row
from sqlalchemy.engine import make_url
from sqlalchemy.engine.url import URL

from engine.errors import StoreError
from engine.store.database import connecting
from engine.store.dialects import is_server, translate_of_driver
from engine.store.remote import SCHEMA

logger = logging.getLogger("moontide.store")

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
T = TypeVar("T")

#: Seconds between attempts to connect.
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0

#: A commit is on disk when it returns, and a broken connection leaves nothing locked for long.
_PREPARE = (
    "SET TIME ZONE 'UTC'",
    "SET lock_timeout = '5s'",
    "SET idle_in_transaction_session_timeout = '30s'",
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'",
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = '20s'",
    # The same few statements again and again, of which some take longer to plan than to carry out.
    "SET plan_cache_mode = force_generic_plan",
)


async def connect(url: URL, who: str) -> Connection:
    """Return a connection that commits each statement by itself.

    Args:
        who: what the server shows of it.

    Raises:
        psycopg.Error: the server cannot be reached, or does not let us in.
    """
    _, options = make_url(url).get_dialect()().create_connect_args(url)
    named: dict[str, Any] = {**options, **connecting(url), "application_name": who}
    connection: Connection = await psycopg.AsyncConnection.connect(
        **named, autocommit=True, row_factory=tuple_row
    )
    try:
        for statement in _PREPARE:
            await connection.execute(statement)
    except BaseException:
        await connection.close()
        raise
    return connection


def check_on_server(url: URL, what: str) -> None:
    """Refuse what a database in a file cannot do.

    Raises:
        StoreError: it is in a file.
    """
    if not is_server(url):
        raise StoreError(
            f"{what} needs a database that other machines reach: "
            'set database = "postgresql+psycopg://USER@HOST/NAME" in moontide.toml'
        )


class Link:
    """A connection for short transactions, one after the other."""

    def __init__(self, url: URL, who: str) -> None:
        """Prepare one; it connects when it is used.

        Args:
            who: what the server shows of it.
        """
        self._url = url
        self._who = who
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Give the connection inside a transaction, which is committed in the end.

        Raises:
            StoreUnavailable: the server cannot be reached now, or takes no writes. Whether what was done
                inside is committed is open then.
            StoreError: the server refused it.
        """
        async with self._turn:
            try:
                connection = await self._connected()
                # What is asked without looking at an answer goes out with what follows it.
                async with connection.pipeline(), connection.transaction():
                    yield connection
            except psycopg.Error as error:
                await self._drop()
                raise _ours(error) from error

    async def use(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do some work with the connection, which commits each statement by itself.

        Raises:
            StoreUnavailable: the server cannot be reached now, or takes no writes.
            StoreError: the server refused it.
        """
        async with self._turn:
            try:
                return await work(await self._connected())
            except psycopg.Error as error:
                await self._drop()
                raise _ours(error) from error

    async def close(self) -> None:
        """Close the connection, once nobody uses it."""
        async with self._turn:
            await self._drop()

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await connect(self._url, self._who)
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()


class Listener:
    """Hears what is told on channels of the database."""

    def __init__(
        self,
        url: URL,
        who: str,
        channels: Callable[[str], list[str]],
        heard: Callable[[str, str], None],
        connected: Callable[[], None],
    ) -> None:
        """Prepare one; `start` begins.

        Args:
            channels: their names, by the word that stands for the schema (see `engine.store.remote.SCHEMA`).
            heard: called with a channel and what was told there.
            connected: called each time when it begins to hear: what was told before is to be looked up.
        """
        self._url = url
        self._who = who
        self._channels = channels
        self._heard = heard
        self._connected = connected
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen(), name="database listener")

    async def stop(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _listen(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                async with await connect(self._url, self._who) as connection:
                    await self._begin(connection)
                    pause = FIRST_PAUSE
                    async for told in connection.notifies():
                        self._heard(told.channel, told.payload)
            except psycopg.Error as error:
                logger.warning("the database is not heard, and connected to anew: %s", _words(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _begin(self, connection: Connection) -> None:
        row = await (await connection.execute(f"SELECT {SCHEMA}")).fetchone()
        assert row is not None
        for channel in self._channels(str(row[0])):
            await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        self._connected()


def _ours(error: psycopg.Error) -> StoreError:
    lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return translate_of_driver(error.sqlstate, lost, error)


def _words(error: Exception) -> str:
    return " ".join(str(error).split())
