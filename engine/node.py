"""This engine as one of those that share a database: it is seen by the others, and leads or stands by.

An engine on an SQLite file is alone there and leads at once; it is listed all the same.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from engine.api.address import socket_in, split_tcp
from engine.api.callers import Callers
from engine.api.forwarding import Forwarder, Leader, NoLeader, StandbyServer
from engine.api.target import trusted
from engine.api.tls import tls_of
from engine.desks.nodedesk import NodeDesk, problems_of
from engine.errors import SessionClosed, StoreError, StoreUnavailable
from engine.jobs.folderhash import FolderHash
from engine.rules.lead import Contender, has_run_out
from engine.settings import Settings
from engine.states import NodeKind, NodeState
from engine.store.contest import Contest, TooLate
from engine.store.database import Database
from engine.store.dialects import translate
from engine.store.leases import read_lease, secret_of_lease
from engine.store.nodes import Newcomer, clear, nodes_in
from engine.store.presence import Presence, Transact, in_thread
from engine.store.queries import reading
from engine.store.schema import migrate
from engine.times.clock import Clock
from engine.version import VERSION
from engine.views import NodeView

logger = logging.getLogger("moontide.nodes")

T = TypeVar("T")

#: Seconds between two looks at the other nodes and at the jobs folder.
WATCH_SECONDS = 15.0

#: Hosts that mean every address of a machine, none of which another machine could use.
_ANY_HOST = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class _Standing:
    """What an engine answers by itself while it stands by."""

    nodes: NodeDesk


class Node:
    """One engine among others.

    Attributes:
        id: of this life of the engine, in the list of nodes.
        running: gives how many runs are under way; whoever carries them out sets it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        home: Path,
        database: Database,
        clock: Clock,
        callers: Callers,
        patience_seconds: float | None,
        on_drain: Callable[[bool], None],
    ) -> None:
        """Make it; nothing is written yet.

        Args:
            callers: who may call the API, also while this engine stands by.
            patience_seconds: how long to wait for the lead; None: stand by for as long as another one leads.
            on_drain: called when somebody asks this engine to end (True), or takes that back.
        """
        host = socket.gethostname()
        self._newcomer = Newcomer(
            kind=NodeKind.ENGINE,
            name=settings.node.name or f"{host}:{home}",
            host=host,
            home=str(home),
            pid=os.getpid(),
            version=VERSION,
            state=NodeState.STANDBY,
            addresses=_addresses(settings, home),
            slots=settings.pool.size or None,
        )
        self.id = self._newcomer.id
        self.running: Callable[[], int] = lambda: 0
        self._on_drain = on_drain
        self._database = database
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._settings = settings
        self._home = home
        self._callers = callers
        self._folder = FolderHash(settings.jobs_folder(home))
        self._contest: Contest | None = None
        self._presence: Presence | None = None
        self._standby: StandbyServer | None = None
        self._seen: list[NodeView] = []

    async def lead(self, parts: AsyncExitStack, open_session: Callable[[Connection], T]) -> T:
        """Return once this engine leads.

        Args:
            parts: ends the lead, and lets another one have it.
            open_session: begins this engine's session, in the transaction that takes the lead.

        Raises:
            ServerInUse: another one leads, or works with another version, and it is not waited for.
            NewerDatabase, StoreUnavailable, StoreError: the database cannot be used.
        """
        if not self._database.on_server:
            return await asyncio.to_thread(self._begin, open_session)
        contest = Contest(self._database, Contender(self.id, self._newcomer.host, self._newcomer.home))
        self._contest = contest
        parts.push_async_callback(contest.stop)
        await contest.prepare()
        presence = await self._appear(parts, in_thread(contest.line.do))
        presence.start()
        self._watch(parts, presence)
        if self._patience_seconds is None:
            await self._stand_by(parts, contest)
        opened = await self._win(contest, open_session)
        self._callers.trust(contest.secret)
        presence.say(state=NodeState.LEADING)
        return opened

    async def step_up(self) -> None:
        """Serve what an engine that stands by serves no more: the engine's own API comes in its place."""
        if self._standby is not None:
            await self._standby.stop()
            self._standby = None

    def seen(self) -> list[NodeView]:
        """Return the nodes of a database on a server as they were seen last."""
        return self._seen

    async def _win(self, contest: Contest, open_session: Callable[[Connection], T]) -> T:
        while True:
            await contest.win(patience_seconds=self._patience_seconds)
            try:
                return await asyncio.to_thread(self._begin, open_session)
            except TooLate as late:
                logger.info("%s", late)
            except StoreUnavailable as error:
                if self._patience_seconds is not None:
                    raise
                logger.warning("the lead cannot be taken yet: %s", error)

    async def settle(
        self,
        parts: AsyncExitStack,
        session: int,
        *,
        transact: Transact,
        on_closed: Callable[[SessionClosed], None],
    ) -> None:
        """Hold the lead from now on.

        Args:
            parts: ends that.
            session: the id of the session that was opened.
            transact: how rows are written in a database that this engine has for itself.
            on_closed: called when this engine leads no more.
        """
        if self._contest is None:
            self._newcomer = replace(self._newcomer, state=NodeState.LEADING)
            await transact(clear)
            await self._appear(parts, transact)
        else:
            self._contest.keep(session, on_closed)

    async def _appear(self, parts: AsyncExitStack, transact: Transact) -> Presence:
        presence = Presence(
            self._newcomer,
            transact=transact,
            clock=self._clock,
            running=lambda: self.running(),
            on_drain=self._on_drain,
        )
        await presence.join()
        parts.push_async_callback(presence.stop)
        self._presence = presence
        self._transact = transact
        return presence

    @property
    def desk(self) -> NodeDesk:
        """Answers what is asked about nodes; there is one once this engine is seen."""
        assert self._presence is not None, "this engine is not seen yet"
        return NodeDesk(
            clock=self._clock,
            reader=self._database.reader,
            transact=self._transact,
            refresh=self._presence.tick,
        )

    async def _stand_by(self, parts: AsyncExitStack, contest: Contest) -> None:
        """Serve the API from here until this engine leads, if another one does."""
        if await contest.is_first():
            return
        logger.info("another engine leads on %s; this one stands by", self._database.name)
        api, ca = self._settings.api, self._settings.node.ca
        trust = trusted(self._home / ca if ca else None)
        self._standby = StandbyServer(
            _Standing(self.desk),
            Forwarder(self._find_leader, trusted=trust),
            socket_path=socket_in(self._home),
            tcp=api.tcp or None,
            callers=self._callers,
            tls=tls_of(api, self._home),
        )
        parts.push_async_callback(self.step_up)
        await self._standby.start()

    async def _find_leader(self) -> Leader:
        return await asyncio.to_thread(self._leader)

    def _leader(self) -> Leader:
        with reading(self._database.reader) as connection:
            lease, now = read_lease(connection)
            known = secret_of_lease(connection)
            rows = {row.id: row for row in nodes_in(connection).rows}
        if lease is None or known is None or has_run_out(lease, now) or lease.node not in rows:
            raise NoLeader("no engine leads at this moment; one that stands by takes the lead within seconds")
        row, own = rows[lease.node], socket_in(self._home)
        on_this_host = row.host == self._newcomer.host
        addresses = [
            address
            for address in row.addresses
            if address.startswith("https:") or (on_this_host and address != str(own))
        ]
        return Leader(row.name, tuple(addresses), known[1])

    def _watch(self, parts: AsyncExitStack, presence: Presence) -> None:
        task = asyncio.get_running_loop().create_task(self._look_around(presence), name="nodes")

        async def stop() -> None:
            task.cancel()
            await asyncio.wait({task})

        parts.push_async_callback(stop)

    async def _look_around(self, presence: Presence) -> None:
        """Tell others what the jobs folder holds, and see what is wrong with nodes."""
        folder = None
        while True:
            if (now := await asyncio.to_thread(self._folder.now)) != folder:
                folder = now
                presence.say(jobs_hash=folder)
            try:
                seen = await self.desk.seen()
            except StoreError as error:
                logger.debug("the nodes cannot be looked at now: %s", error)
            else:
                for problem in sorted(set(problems_of(seen)) - set(problems_of(self._seen))):
                    logger.warning("%s", problem)
                self._seen = seen
            await asyncio.sleep(WATCH_SECONDS)

    def _begin(self, open_session: Callable[[Connection], T]) -> T:
        # A newer version may have led meanwhile, and changed the tables.
        migrate(self._database.writer)
        try:
            with self._database.writer.begin() as connection:
                if self._contest is not None:
                    self._contest.take(connection)
                return open_session(connection)
        except DBAPIError as error:
            raise translate(error) from error


def _addresses(settings: Settings, home: Path) -> tuple[str, ...]:
    """Return where other engines reach the API of this one."""
    own = str(socket_in(home))
    url = settings.node.address or _url_of_listener(settings)
    return (own, url) if url else (own,)


def _url_of_listener(settings: Settings) -> str:
    if not (settings.api.tcp and settings.api.certificate):
        return ""
    host, port = split_tcp(settings.api.tcp)
    named = socket.getfqdn() if host in _ANY_HOST else host
    return f"https://[{named}]:{port}" if ":" in named else f"https://{named}:{port}"
