"""The databases of one module: those that the settings name, and those that jobs name themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

from moontide import CoreCall, CoreError, OutOfTime
from plugins.network.addresses import AddressError, Addresses
from plugins.sql.build import Statement
from plugins.sql.dialects import Dialect
from plugins.sql.driver import (
    OVER_LIMIT,
    Address,
    Connect,
    Connection,
    Limits,
    QueryError,
    Result,
    TimeLimitError,
)
from plugins.sql.options import ConnectionTable, Target
from plugins.sql.pool import Pool

S = TypeVar("S", bound="Session")

NOT_CONFIGURED = 901
WRONG_TYPE = 801
NETWORK = 815

#: The server ends a statement in time by itself; this much later its connection is cut.
GRACE_SECONDS = 1.0

#: How long a call waits for a connection, if a statement may take as long.
LONGEST_WAIT_SECONDS = 10.0

LONGEST_LOGGED = 2000


@dataclass(frozen=True, slots=True)
class Source:
    """One database of the settings."""

    address: Address
    limits: Limits
    connections: int


class Databases:
    """Gives sessions with databases; kept by a module while the engine runs."""

    def __init__(
        self,
        *,
        module: str,
        dialect: Dialect,
        connect: Connect,
        sources: Mapping[str, Source],
        default_port: int | None,
        addresses: Addresses,
    ) -> None:
        """Open nothing yet.

        Args:
            module: the name below `core`.
            sources: by their names in the settings.
            default_port: of servers that a job names itself; None if it may not.
            addresses: knows which hosts a job may name.
        """
        self.module = module
        self.dialect = dialect
        self._connect = connect
        self._sources = sources
        self._default_port = default_port
        self._addresses = addresses
        self._pools = {name: self._pool(name, source) for name, source in sources.items()}
        self._talkative: WeakSet[Any] = WeakSet()
        self._closing: set[asyncio.Task[None]] = set()

    def log_queries(self, call: CoreCall, state: bool) -> None:
        """Write the SQL of a run to its log, or no longer."""
        if state:
            self._talkative.add(call.resources)
        else:
            self._talkative.discard(call.resources)

    async def session(self, call: CoreCall, target: Target) -> Session:
        """Return a session with a database; call its `leave` afterwards.

        Raises:
            CoreError: the database is not known, or a job may not reach it.
        """
        if isinstance(target, int):
            return call.resources.get(target, HeldSession)
        return await self._open(Session, call, target)

    async def hold(self, call: CoreCall, target: Target) -> int:
        """Open a connection that stays open for the run, and return its number."""
        if isinstance(target, int):
            raise CoreError("db must be a database's name or a connection table", WRONG_TYPE)
        session = await self._open(HeldSession, call, target)
        try:
            await session.connect()
            return call.resources.keep(session, session.aclose)
        except BaseException:
            session.close()
            raise

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.close()
        while self._closing:
            await asyncio.wait(self._closing)

    async def _open(self, kind: Callable[..., S], call: CoreCall, target: str | ConnectionTable) -> S:
        # Who holds a session may ask later for its statements.
        observe = partial(self._observe, call) if self._talkative or kind is HeldSession else None
        if isinstance(target, ConnectionTable) and not target.configured:
            source = await self._foreign(target)
            pool = self._pool(target.database, source)
            return kind(pool, source.limits, observe=observe, closed=lambda: self._later(pool.close()))
        name = target if isinstance(target, str) else target.database
        if name not in self._sources:
            raise CoreError(
                f"database {name[:80]!r} is not configured; add [{self.module}.NAME] with that name to "
                "moontide.toml",
                NOT_CONFIGURED,
            )
        return kind(self._pools[name], self._sources[name].limits, observe=observe)

    async def _foreign(self, table: ConnectionTable) -> Source:
        if self._default_port is None:
            raise CoreError("db must be the name of a configured database", WRONG_TYPE)
        host, port = table.host or "127.0.0.1", table.port or self._default_port
        if not (1 <= port <= 65_535 and 1 <= table.timeout <= 60_000) or "/" in host or "\0" in host:
            raise CoreError("db needs a host, a port to 65535 and a timeout of 1 to 60000 ms", WRONG_TYPE)
        try:
            found = await self._addresses.find(host, port)
        except AddressError as error:
            raise CoreError(str(error), NETWORK) from error
        limits = Limits(seconds=30, rows=10_000)
        address = Address(
            database=table.database,
            host=host,
            port=port,
            ip=str(found[0]),
            user=table.user,
            password=table.password,
            connect_seconds=table.timeout / 1000,
            query_seconds=limits.seconds,
        )
        return Source(address, limits, connections=1)

    def _pool(self, name: str, source: Source) -> Pool:
        return Pool(
            partial(self._connect, source.address),
            name=name,
            size=source.connections,
            wait_seconds=min(LONGEST_WAIT_SECONDS, source.limits.seconds),
        )

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _observe(self, call: CoreCall, statement: Statement) -> None:
        if self._talkative and call.resources in self._talkative:
            text = statement.describe(self.dialect)
            call.log("info", text if len(text) <= LONGEST_LOGGED else text[:LONGEST_LOGGED] + "...")


class Session:
    """A way to one database; it borrows a connection at the first statement, unless one is at hand."""

    def __init__(
        self,
        pool: Pool,
        limits: Limits,
        *,
        observe: Callable[[Statement], None] | None,
        closed: Callable[[], None] | None = None,
    ) -> None:
        self._pool = pool
        self._limits = limits
        self._observe = observe
        self._closed = closed
        self._connection = pool.at_hand()
        self._touched = False

    async def execute(self, statement: Statement) -> Result:
        """Carry out a statement.

        Raises:
            CoreError: it failed, or went over a limit.
        """
        connection = self._connection or await self._ready()
        if statement.written:
            self._touched = True
        if self._observe is not None:
            self._observe(statement)
        try:
            work = connection.run(statement, self._limits)
            return await connection.deadline.within(self._limits.seconds + GRACE_SECONDS, work)
        except QueryError as error:
            if error.lost:
                self._drop()
            raise CoreError(error.message, error.code) from error
        except TimeLimitError as error:
            raise self._too_long() from error
        except OutOfTime as error:
            self._drop()
            raise self._too_long() from error
        except BaseException:
            self._drop()
            raise

    async def connect(self) -> None:
        """Borrow a connection now.

        Raises:
            CoreError: there is none to be had.
        """
        if self._connection is not None:
            return
        try:
            self._connection = await self._pool.acquire()
        except QueryError as error:
            raise CoreError(error.message, error.code) from error

    def leave(self) -> None:
        """End the session of one call."""
        self.close()

    def close(self) -> None:
        """Give the connection back; it is put in order in the background."""
        if self._connection is not None:
            self._pool.give_back(self._connection, touched=self._touched)
            self._connection = None
        if self._closed is not None:
            self._closed()

    async def _ready(self) -> Connection:
        if self._connection is None:
            await self.connect()
        assert self._connection is not None
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._pool.discard(self._connection)
            self._connection = None
            self._touched = False

    def _too_long(self) -> CoreError:
        return CoreError(
            f"the statement took longer than {self._limits.seconds:g} s and was stopped", OVER_LIMIT
        )


class HeldSession(Session):
    """A session whose connection a run holds open, with all state that its statements leave."""

    def leave(self) -> None:
        """Stay open for the next call."""

    async def aclose(self) -> None:
        """Give the connection back."""
        self._touched = True
        self.close()

    async def _ready(self) -> Connection:
        if self._connection is None:
            raise CoreError("the connection was lost, and what it had begun with it; open another", NETWORK)
        return self._connection
