"""The engine as a whole: assembles its parts, starts them in order and stops them in the reverse order.

What each part is given stands in `engine.assembly`; here stands when it begins and ends.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastapi import APIRouter
from sqlalchemy import Connection

from engine.alerts.heartbeat import Heartbeat, ailment
from engine.api.callers import Caller, Callers, Way
from engine.api.pluginroutes import make_routers
from engine.api.server import ApiServer
from engine.api.tls import tls_of
from engine.assembly.ground import Ground
from engine.assembly.office import make_desk
from engine.assembly.works import Works
from engine.catalog.catalog import Catalog
from engine.collector import resting
from engine.desks.desk import Desk
from engine.desks.enginedesk import Identity
from engine.door.opening import make_door
from engine.errors import StoreError
from engine.events import (
    EngineStateChanged,
    Events,
    JobsReloaded,
    JournalRecovered,
    JournalStalled,
    RunFinished,
    RunLogged,
    RunsRecovered,
    WorkersReplaced,
)
from engine.extensions.executors import carries_elsewhere
from engine.extensions.plugins import Plugins, load_plugins
from engine.node import Node
from engine.parts import make_pool, start_subscribers
from engine.runs.dispatcher import Dispatcher
from engine.runs.job import Job
from engine.runs.startup import run_startup_jobs
from engine.sandbox.pool import WorkerPool
from engine.settings import Settings
from engine.states import EngineState
from engine.store.claim import Claim
from engine.store.database import Database, open_database
from engine.store.indexer import Indexer
from engine.store.jobstates import jobs_with_state
from engine.store.journal import Journal
from engine.store.lock import DatabaseLock, HomeLock
from engine.store.ownership import WAIT_SECONDS
from engine.store.sessions import begin_session, end_session, next_run_id, recover
from engine.stubs import StubWriter
from engine.times.clock import Clock, SystemClock
from engine.version import VERSION
from engine.watch import Watcher

logger = logging.getLogger("moontide.engine")

SOCKET_NAME = "moontide.sock"
STOPPED = "the engine was stopped"


@dataclass(frozen=True, slots=True)
class Session:
    """One life of an engine, as the database has begun it.

    Attributes:
        recovered: the runs that an earlier engine left unfinished.
        first_run_id: ids of runs count up from here.
        held: the jobs of which the database keeps a state.
    """

    id: int
    recovered: list[int]
    first_run_id: int
    held: set[str]


class Engine:
    """One engine on one home folder."""

    def __init__(
        self,
        settings: Settings,
        *,
        home: Path,
        watch: bool = False,
        clock: Clock | None = None,
        taken_commands: Collection[str] = (),
        patience_seconds: float | None = WAIT_SECONDS,
    ) -> None:
        """Make an engine; nothing is opened before `start`.

        Args:
            watch: whether saved job files are reloaded at once, where the settings do not say.
            taken_commands: names that commands of plugins cannot have.
            patience_seconds: how long `start` waits while another engine leads on the same database of a
                server; None: for as long as it does.
        """
        self._taken_commands = taken_commands
        self._added_routes: list[APIRouter] = []
        self.settings = settings
        self._callers = Callers(
            {token: Caller(role, Way.TCP, name) for name, token, role in settings.api.bearers()}
        )
        self.home = home.resolve()
        self.events = Events()
        self._watch = watch if settings.watch is None else settings.watch
        self._clock = clock or SystemClock()
        self._running = AsyncExitStack()
        self._patience_seconds = patience_seconds
        self._when_over: Callable[[], object] = lambda: None
        self.over: StoreError | None = None
        self.desk: Desk
        self.catalog: Catalog
        self.dispatcher: Dispatcher

    async def start(self) -> None:
        """Take the home folder, recover what an earlier engine left, and begin to serve.

        Raises:
            HomeInUse: another engine works in this home folder.
            DatabaseInUse: an engine with another home works with its database.
            ServerInUse: one works on its database of a server.
            NewerDatabase, StoreError: the database cannot be used.
            MissingWall: the kernel lacks a wall of the sandbox.
        """
        async with AsyncExitStack() as parts:
            await self._assemble(parts)
            self._running = parts.pop_all()

    async def stop(self) -> None:
        """Let runs under way end, then stop everything; nothing is left running."""
        self.desk.set_state(EngineState.DRAINING)
        await self._running.aclose()
        self.events.publish(EngineStateChanged(self._clock.now(), EngineState.STOPPED.value))

    async def _assemble(self, parts: AsyncExitStack) -> None:
        self._take_home(parts)
        database = await self._open_store(parts)
        node, plugins = self._make_node(database), self._load_plugins()
        # Before it leads: one that stands by has it ready.
        pool = await self._start_pool(parts, plugins)
        session = await node.lead(parts, partial(self._open_session, plugins))
        works = Works(await self._lay_ground(parts, node, database, session, plugins, pool))
        catalog = works.catalog
        await works.open(parts, find_view=lambda name: self.desk.job(name) if name in catalog.jobs else None)
        self._added_routes = make_routers(plugins.routes, works.runner.services, plugins.put_aside)
        senders = start_subscribers(
            self.events, plugins, works.runner.services, parts, report=works.alerts.announcer.report
        )
        self.catalog, self.dispatcher = catalog, works.dispatcher
        node.running = lambda: works.dispatcher.gate.running
        indexer = self._make_indexer(parts, works.ground)
        identity = Identity(VERSION, self.home, database.name, session.id, self._clock.now(), self._watch)
        self.desk = make_desk(works, identity=identity, indexer=indexer, nodes=node.desk)
        heartbeat = self._make_heartbeat(works)
        self.desk.watch_problems_of(heartbeat.problems)
        self.desk.watch_nodes(node.seen)
        self.desk.watch_problems_of(partial(_problem_with_pool, self.settings, works))
        await works.alerts.start()
        parts.push_async_callback(works.alerts.stop)
        indexer.start()
        await self._serve(parts, works, node, session.recovered)
        works.alerts.begin_to_tell(senders)
        heartbeat.start()
        parts.push_async_callback(heartbeat.stop)
        self._keep_stubs(parts, catalog, plugins)
        await self._open_door(parts)

    def when_over(self, callback: Callable[[], object]) -> None:
        """Have a function called when this engine can do nothing but stop; `over` says why then."""
        self._when_over = callback
        if self.over is not None:
            callback()

    def _give_up(self, error: StoreError) -> None:
        if self.over is None:
            logger.error("%s", error)
            self.over = error
            self._when_over()

    def _drain_asked(self, drain: bool) -> None:
        if drain:
            logger.info("this engine was asked to drain, and stops")
            self._when_over()

    async def _drain(self, dispatcher: Dispatcher) -> None:
        """Let runs under way end; what an engine did that is over would never be on record."""
        await dispatcher.drain(STOPPED, self.settings.engine.stop_after if self.over is None else 0)

    # The parts, in the order in which they start

    def _take_home(self, parts: AsyncExitStack) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        lock = HomeLock(self.home)
        lock.acquire()
        parts.callback(lock.release)

    async def _open_store(self, parts: AsyncExitStack) -> Database:
        database = open_database(self.settings.database_url(self.home))
        if database.file is not None:
            lock = DatabaseLock(database.file, self.home)
            lock.acquire()
            parts.callback(lock.release)
        parts.callback(database.close)
        return database

    def _make_node(self, database: Database) -> Node:
        return Node(
            self.settings,
            home=self.home,
            database=database,
            clock=self._clock,
            callers=self._callers,
            patience_seconds=self._patience_seconds,
            on_drain=self._drain_asked,
        )

    def _load_plugins(self) -> Plugins:
        with resting():
            return load_plugins(
                self.settings.plugins.disable,
                folder=self.settings.plugins_folder(self.home),
                taken_commands=self._taken_commands,
            )

    def _open_session(self, plugins: Plugins, connection: Connection) -> Session:
        now = self._clock.now()
        session = begin_session(
            connection, pid=os.getpid(), host=socket.gethostname(), version=VERSION, now=now
        )
        adopts = carries_elsewhere(self.settings.executor, plugins.executors)
        recovered = recover(connection, session, now, adopts=adopts)
        return Session(session, recovered, next_run_id(connection), jobs_with_state(connection))

    async def _lay_ground(
        self,
        parts: AsyncExitStack,
        node: Node,
        database: Database,
        session: Session,
        plugins: Plugins,
        pool: WorkerPool,
    ) -> Ground:
        journal = self._start_journal(parts, database, session.id)
        await node.settle(parts, session.id, transact=journal.transact, on_closed=self._give_up)
        return Ground(
            settings=self.settings,
            home=self.home,
            clock=self._clock,
            events=self.events,
            database=database,
            session=session.id,
            first_run_id=session.first_run_id,
            held=session.held,
            journal=journal,
            plugins=plugins,
            pool=pool,
        )

    def _start_journal(self, parts: AsyncExitStack, database: Database, session: int) -> Journal:
        def stalled(reason: str, waiting: int) -> None:
            logger.error("no writes to the database: %s; %s wait, new runs are refused", reason, waiting)
            self.events.publish(JournalStalled(self._clock.now(), reason, waiting))

        def recovered(seconds: float) -> None:
            logger.warning("the database takes writes again after %.1f s", seconds)
            self.events.publish(JournalRecovered(self._clock.now(), seconds))

        journal = Journal(
            database.writer,
            clock=self._clock,
            on_stalled=stalled,
            on_recovered=recovered,
            claim=Claim(session) if database.on_server else None,
            on_closed=self._give_up,
        )
        journal.start()

        async def finish() -> None:
            closed = journal.transact(lambda connection: end_session(connection, session, self._clock.now()))
            # It is not waited for here: a database that takes no writes must not hold up the stop.
            await journal.stop()
            try:
                await closed
            except StoreError as error:
                logger.error("this session could not be closed in the database: %s", error)

        parts.push_async_callback(finish)
        return journal

    def _make_indexer(self, parts: AsyncExitStack, ground: Ground) -> Indexer:
        indexer = Indexer(journal=ground.journal, reader=ground.database.reader)
        parts.callback(self.events.subscribe(indexer.take, (RunLogged, RunFinished)))
        parts.push_async_callback(indexer.stop)
        return indexer

    async def _start_pool(self, parts: AsyncExitStack, plugins: Plugins) -> WorkerPool:
        def replaced(reason: str) -> None:
            logger.error("the workers were replaced: %s", reason)
            self.events.publish(WorkersReplaced(self._clock.now(), reason))

        pool = make_pool(self.settings, plugins, replaced)
        await pool.start()
        parts.push_async_callback(pool.stop)
        return pool

    def _keep_stubs(self, parts: AsyncExitStack, catalog: Catalog, plugins: Plugins) -> None:
        writer = StubWriter(
            catalog.files.folder,
            plugins.modules,
            catalog.jobs,
            added=plugins.additions.settings.values(),
            wanted=self.settings.stubs,
        )
        writer.refresh()
        parts.push_async_callback(writer.stop)
        parts.callback(self.events.subscribe(writer.take, (JobsReloaded,)))

    def _make_api(self) -> ApiServer:
        return ApiServer(
            self.desk,
            socket_path=self.home / SOCKET_NAME,
            tcp=self.settings.api.tcp or None,
            callers=self._callers,
            tls=tls_of(self.settings.api, self.home),
            added=self._added_routes,
        )

    def _make_heartbeat(self, works: Works) -> Heartbeat:
        def ails() -> str | None:
            return ailment(
                now=self._clock.now(),
                first_due=works.scheduler.first_due(),
                stalled=works.ground.journal.stalled,
            )

        return Heartbeat(self.settings.heartbeat, ailment=ails)

    async def _open_door(self, parts: AsyncExitStack) -> None:
        if not self.settings.ssh.listen:
            return
        door = make_door(
            self.settings.ssh,
            self.home,
            callers=self._callers,
            socket=self.home / SOCKET_NAME,
            note=lambda action, actor: self.desk.note(action, "", actor=actor),
        )
        await door.start()
        parts.push_async_callback(door.stop)
        self.desk.watch_problems_of(door.keys.problems)

    async def _load(self, works: Works) -> list[Job]:
        """Read the jobs, and go on with runs elsewhere that an earlier engine has left; see `Desk.load`."""
        left = await works.dispatcher.left()

        def take_up() -> None:
            for run in left:
                works.dispatcher.take_up(run, works.catalog.owner(run.request.job))

        start_now = await self.desk.load(take_up)
        if left:
            logger.info("%d runs on workers go on that an earlier engine has begun", len(left))
        return start_now

    async def _serve(self, parts: AsyncExitStack, works: Works, node: Node, recovered: list[int]) -> None:
        catalog, dispatcher = works.catalog, works.dispatcher
        await works.timetable.load()
        api = self._make_api()
        await node.step_up()
        await api.start()
        parts.push_async_callback(api.stop)
        if recovered:
            self.events.publish(RunsRecovered(self._clock.now(), tuple(recovered)))
        parts.push_async_callback(self._drain, dispatcher)
        await works.holding.start()
        parts.push_async_callback(works.holding.stop)
        start_now = await self._load(works)
        await works.release.letting_go(catalog.jobs.values())
        await run_startup_jobs(
            catalog.jobs.values(), dispatcher=dispatcher, events=self.events, clock=self._clock
        )
        works.scheduler.start()
        parts.callback(works.scheduler.stop)
        for job in start_now:
            dispatcher.start_now(job)
        await works.planner.start()
        parts.push_async_callback(works.planner.stop)
        works.chains.start()
        parts.callback(works.chains.stop)
        await works.chains.letting_go(catalog.jobs.values())
        if self._watch:
            watcher = Watcher(catalog.files.folder, self.desk.reload_saved)
            watcher.start()
            parts.push_async_callback(watcher.stop)
        self.desk.set_state(EngineState.RUNNING)


def _problem_with_pool(settings: Settings, works: Works) -> list[str]:
    """Return words about a size of the pool that somebody has set, and that limits nothing."""
    wanted = settings.pool.size
    if works.dispatcher.gate.size == wanted or "size" not in settings.pool.model_fields_set:
        return []
    return [
        f'pool.size = {wanted} limits nothing with executor = "{settings.executor}": '
        "the slots of all workers do, and limits.tags and limits.groups"
    ]
