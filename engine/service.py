"""The engine as a whole: assembles its parts, starts them in order and stops them in the reverse order.

This is the only module that knows all parts.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter
from sqlalchemy import Connection

from engine.alerts.alertbook import AlertBook
from engine.alerts.alerting import Alerts
from engine.alerts.heartbeat import Heartbeat, ailment
from engine.api.callers import Caller, Callers, Way
from engine.api.pluginroutes import make_routers
from engine.api.server import ApiServer
from engine.api.tls import tls_of
from engine.catalog import Catalog
from engine.declarations import Declarations
from engine.desks.alertdesk import AlertDesk
from engine.desks.auditdesk import AuditDesk
from engine.desks.desk import Desk
from engine.desks.drafts import DraftDesk
from engine.desks.enginedesk import Identity
from engine.desks.historydesk import HistoryDesk
from engine.desks.holddesk import HoldDesk
from engine.desks.ledgerdesk import LedgerDesk
from engine.desks.overviewdesk import OverviewDesk
from engine.desks.scheduledesk import ScheduleDesk
from engine.desks.statedesk import StateDesk
from engine.errors import SettingsError, StoreError
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
from engine.extensions.executors import Executor, RunQueue
from engine.extensions.plugins import Plugins, load_plugins
from engine.node import Node
from engine.parts import (
    declaring_fingerprint,
    make_catalog,
    make_pool,
    make_runner,
    start_executor,
    start_subscribers,
)
from engine.remote.answering import Answers
from engine.remote.carrier import RemoteExecutor
from engine.remote.observing import Observer
from engine.rules.given import Reading
from engine.rules.holds import Holds
from engine.runs.chains import Chains
from engine.runs.cleanup import Cleanup
from engine.runs.clockset import ClockSet
from engine.runs.dispatcher import Dispatcher
from engine.runs.holding import Holding
from engine.runs.job import StoredJob
from engine.runs.jobrows import stored_job
from engine.runs.ledger import in_blackout
from engine.runs.liverun import label_limits
from engine.runs.ownjob import OwnJob
from engine.runs.planner import Planner
from engine.runs.release import Release
from engine.runs.runcalls import RunCalls
from engine.runs.scheduler import Scheduler
from engine.runs.startup import run_startup_jobs
from engine.runs.timetable import Timetable
from engine.sandbox.pool import WorkerPool
from engine.settings import Settings
from engine.settings.sections import SshSettings
from engine.states import EngineState
from engine.store.aging import Aging
from engine.store.alertrows import AlertQueries
from engine.store.auditqueries import AuditQueries
from engine.store.claim import Claim
from engine.store.database import Database, open_database
from engine.store.documents import StoredDocuments
from engine.store.given import GivenQueries
from engine.store.history import History
from engine.store.holds import stored_holds
from engine.store.indexer import Indexer
from engine.store.jobstates import JobStates, jobs_with_state
from engine.store.journal import Journal
from engine.store.link import check_on_server
from engine.store.lock import DatabaseLock, HomeLock
from engine.store.ownership import WAIT_SECONDS
from engine.store.pruning import Pruning
from engine.store.queries import Queries
from engine.store.sessions import begin_session, end_session, next_run_id, recover
from engine.store.slotqueries import SlotQueries
from engine.store.timelines import Timelines
from engine.stubs import StubWriter
from engine.times.clock import Clock, SystemClock
from engine.watch import Watcher

if TYPE_CHECKING:
    from engine.door.door import Door

logger = logging.getLogger("moontide.engine")

VERSION = version("moontide")
SOCKET_NAME = "moontide.sock"
#: The folder in which the dashboards of the front door remember what each key likes.
MEMORIES_NAME = "dashboards"
STOPPED = "the engine was stopped"

#: For more jobs than that all rows are read, not each one looked up.
LOOKED_UP = 1000


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
        node = self._make_node(database)
        session, recovered, first_run_id, held = await node.lead(parts, self._open_session)
        journal = self._start_journal(parts, database, session)
        await node.settle(parts, session, transact=journal.transact, on_closed=self._give_up)
        states = JobStates(journal, database.reader, clock=self._clock, held=held)
        plugins = self._load_plugins()
        pool = await self._start_pool(parts, plugins)
        queries = Queries(database.reader)
        folder = self.settings.jobs_folder(self.home)
        cleanup = Cleanup(
            clock=self._clock,
            journal=journal,
            pruning=Pruning(database.reader),
            aging=Aging(database.reader),
            known_sources=lambda: dispatcher.sources,
            kept=self.settings.kept_runs(),
            kept_seconds=self.settings.kept_seconds(),
        )
        catalog = make_catalog(
            folder,
            pool,
            self.settings,
            self._clock,
            additions=plugins.additions,
            built_in=[cleanup.as_job(self.settings.retention.every)],
            memory=Declarations(journal, database.reader, fingerprint=declaring_fingerprint(plugins)),
        )
        scheduler = Scheduler(
            clock=self._clock,
            on_due=lambda job, due: dispatcher.due(job, due),
            on_set_back=lambda now, by: clock_set.went_back(now, by),
        )
        documents = StoredDocuments(journal, database.reader, clock=self._clock)
        runner = await make_runner(
            pool,
            plugins,
            documents,
            catalog,
            self.settings,
            parts,
            home=self.home,
            runs=lambda: RunCalls(
                find_job=catalog.job,
                dispatcher=dispatcher,
                planner=planner,
                timetable=timetable,
                queries=queries,
            ),
            own_job=lambda: OwnJob(
                clock=self._clock,
                find_job=catalog.job,
                dispatcher=dispatcher,
                states=states,
                journal=journal,
                events=self.events,
            ),
            find_job=lambda name: self.desk.job(name) if name in catalog.jobs else None,
        )
        executor = await start_executor(
            self.settings,
            plugins,
            runner,
            parts,
            home=self.home,
            carried_by=lambda queue: carried_by(
                queue,
                database=database,
                journal=journal,
                session=session,
                answers=Answers(
                    runs=runner.means.runs,
                    own_job=runner.means.own_job,
                    library=runner.means.library,
                    journal=journal,
                ),
                clock=self._clock,
                modules=plugins.modules,
            ),
        )
        self._added_routes = make_routers(plugins.routes, runner.services, plugins.put_aside)
        book, stored = AlertBook(journal, self._clock), AlertQueries(database.reader)
        alerts = Alerts(
            jobs=catalog.jobs,
            rules=self.settings.alert_rules(),
            timezone=self.settings.timezone,
            book=book,
            queries=queries,
            stored=stored,
            events=self.events,
            clock=self._clock,
            held=lambda job: holds.on(job.name, job.settings) is not None,
            runs_now=lambda job: bool(dispatcher.gate.runs_now(job)),
            given=lambda job: chains.repeating(job),
        )
        senders = start_subscribers(
            self.events, plugins, runner.services, parts, report=alerts.announcer.report
        )
        holds = Holds()
        dispatcher = Dispatcher(
            clock=self._clock,
            find_job=catalog.jobs.get,
            read_source=catalog.source,
            arm=scheduler.arm,
            skip_due=lambda job, due: holds.skip(job.name, job.settings, due) or in_blackout(job, due),
            runner=executor,
            journal=journal,
            states=states,
            events=self.events,
            session=session,
            first_run_id=first_run_id,
            pool_size=self.settings.pool.size,
            label_limits=label_limits(self.settings.limits.tags, self.settings.limits.groups),
            holds=holds,
            limits=self.settings.run_limits(),
            timezone=self.settings.timezone,
            stop_grace=self.settings.engine.stop_grace,
            on_error=plugins.additions.policies,
        )
        given, slot_queries = GivenQueries(database.reader), SlotQueries(database.reader)
        clock_set = ClockSet(jobs=catalog.jobs, dispatcher=dispatcher, journal=journal)
        planner = Planner(
            clock=self._clock,
            find_job=catalog.job,
            dispatcher=dispatcher,
            journal=journal,
            queries=queries,
            events=self.events,
            holds=holds,
            given=given,
            session=session,
        )
        release = Release(
            clock=self._clock,
            holds=holds,
            dispatcher=dispatcher,
            planner=planner,
            journal=journal,
            newest=slot_queries.newest_of,
        )
        reading = Reading(self.settings.timezone, self.settings.schedules, plugins.additions)
        chains = Chains(
            clock=self._clock,
            find_job=catalog.job,
            dispatcher=dispatcher,
            planner=planner,
            holds=holds,
            journal=journal,
            events=self.events,
            newest=slot_queries.newest,
            reading=reading,
            changed=alerts.given_changed,
        )
        releases = (release.letting_go, chains.letting_go)
        holding = Holding(
            clock=self._clock,
            holds=holds,
            jobs=catalog.jobs.values,
            dispatcher=dispatcher,
            planner=planner,
            journal=journal,
            events=self.events,
            stored=lambda: stored_holds(database.reader),
            releases=releases,
        )
        timetable = Timetable(
            clock=self._clock,
            chains=chains,
            dispatcher=dispatcher,
            planner=planner,
            journal=journal,
            queries=given,
            reading=reading,
        )
        self.catalog, self.dispatcher = catalog, dispatcher
        node.running = lambda: dispatcher.gate.running
        indexer = self._make_indexer(parts, journal, database)
        schedules = ScheduleDesk(
            clock=self._clock,
            find_job=catalog.job,
            timetable=timetable,
            chains=chains,
            planner=planner,
            journal=journal,
            queries=given,
        )
        self.desk = Desk(
            identity=Identity(VERSION, self.home, database.name, session, self._clock.now(), self._watch),
            clock=self._clock,
            catalog=catalog,
            scheduler=scheduler,
            dispatcher=dispatcher,
            planner=planner,
            journal=journal,
            queries=queries,
            history=HistoryDesk(
                history=History(database.reader),
                timelines=Timelines(database.reader),
                clock=self._clock,
                queries=queries,
                indexer=indexer,
                jobs=catalog.jobs,
                folder=folder,
                waits=dispatcher.waits,
            ),
            pool=pool,
            plugins=plugins,
            schedules=schedules,
            events=self.events,
            source_bytes=self.settings.source_bytes(),
            permissions=self.settings.permissions,
            drafts=DraftDesk(
                clock=self._clock,
                catalog=catalog,
                modules=plugins.modules,
                added=plugins.additions.settings.values(),
            ),
            states=StateDesk(
                clock=self._clock,
                find_job=catalog.job,
                states=states,
                most_bytes=self.settings.run_limits().result_bytes,
            ),
            ledger=LedgerDesk(
                clock=self._clock, catalog=catalog, queries=slot_queries, schedules=schedules, held=holds
            ),
            overview=OverviewDesk(settings=self.settings, jobs=catalog.jobs, folder=folder),
            load_stored=lambda names: stored_jobs(queries, names),
            held=holds,
            holds=HoldDesk(
                clock=self._clock,
                catalog=catalog,
                holds=holds,
                holding=holding,
                group_limits=self.settings.limits.groups,
            ),
            alerts=AlertDesk(book=book, stored=stored, announcer=alerts.announcer, clock=self._clock),
            audit=AuditDesk(AuditQueries(database.reader)),
            nodes=node.desk,
            releases=releases,
        )
        heartbeat = Heartbeat(
            self.settings.heartbeat,
            ailment=lambda: ailment(
                now=self._clock.now(), first_due=scheduler.first_due(), stalled=journal.stalled
            ),
        )
        self.desk.watch_problems_of(heartbeat.problems)
        self.desk.watch_problems_of(node.problems)
        await alerts.start()
        parts.push_async_callback(alerts.stop)
        indexer.start()
        await self._serve(
            parts,
            catalog,
            scheduler,
            planner,
            timetable,
            chains,
            holding,
            release,
            dispatcher,
            recovered,
            node,
        )
        alerts.begin_to_tell(senders)
        heartbeat.start()
        parts.push_async_callback(heartbeat.stop)
        self._keep_stubs(parts, catalog, plugins)
        if self.settings.ssh.listen:
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

    def _open_session(self, connection: Connection) -> tuple[int, list[int], int, set[str]]:
        now = self._clock.now()
        session = begin_session(
            connection, pid=os.getpid(), host=socket.gethostname(), version=VERSION, now=now
        )
        recovered = recover(connection, session, now)
        return session, recovered, next_run_id(connection), jobs_with_state(connection)

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

    def _make_indexer(self, parts: AsyncExitStack, journal: Journal, database: Database) -> Indexer:
        indexer = Indexer(journal=journal, reader=database.reader)
        parts.callback(self.events.subscribe(indexer.take, (RunLogged, RunFinished)))
        parts.push_async_callback(indexer.stop)
        return indexer

    def _load_plugins(self) -> Plugins:
        return load_plugins(
            self.settings.plugins.disable,
            folder=self.settings.plugins_folder(self.home),
            taken_commands=self._taken_commands,
        )

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
            catalog.folder,
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

    async def _serve(
        self,
        parts: AsyncExitStack,
        catalog: Catalog,
        scheduler: Scheduler,
        planner: Planner,
        timetable: Timetable,
        chains: Chains,
        holding: Holding,
        release: Release,
        dispatcher: Dispatcher,
        recovered: list[int],
        node: Node,
    ) -> None:
        await timetable.load()
        api = self._make_api()
        await node.step_up()
        await api.start()
        parts.push_async_callback(api.stop)
        if recovered:
            self.events.publish(RunsRecovered(self._clock.now(), tuple(recovered)))
        parts.push_async_callback(self._drain, dispatcher)
        await holding.start()
        parts.push_async_callback(holding.stop)
        start_now = await self.desk.load()
        await release.letting_go(catalog.jobs.values())
        await run_startup_jobs(
            catalog.jobs.values(), dispatcher=dispatcher, events=self.events, clock=self._clock
        )
        scheduler.start()
        parts.callback(scheduler.stop)
        for job in start_now:
            dispatcher.start_now(job)
        await planner.start()
        parts.push_async_callback(planner.stop)
        chains.start()
        parts.callback(chains.stop)
        await chains.letting_go(catalog.jobs.values())
        if self._watch:
            watcher = Watcher(catalog.folder, self.desk.reload_saved)
            watcher.start()
            parts.push_async_callback(watcher.stop)
        self.desk.set_state(EngineState.RUNNING)


@asynccontextmanager
async def carried_by(
    queue: RunQueue,
    *,
    database: Database,
    journal: Journal,
    session: int,
    answers: Answers,
    clock: Clock,
    modules: Collection[str],
) -> AsyncIterator[Executor]:
    """Give the executor whose runs a queue carries to workers on other machines.

    Raises:
        StoreError: the database is none that they could reach.
    """
    url = database.writer.url
    check_on_server(url, "an executor with workers on other machines")
    executor = RemoteExecutor(
        queue=queue,
        url=url,
        journal=journal,
        session=session,
        answers=answers,
        observer=Observer(database.reader, clock),
        version=VERSION,
        modules=modules,
    )
    await executor.start()
    try:
        yield executor
    finally:
        await executor.stop()


def make_door(
    settings: SshSettings,
    home: Path,
    *,
    callers: Callers,
    socket: Path,
    note: Callable[[str, str], Awaitable[None]],
) -> Door:
    """Return the front door of an engine.

    Raises:
        SettingsError: what it is made with is not installed.
    """
    try:
        from engine.door.door import Door, DoorSettings
    except ImportError as error:
        raise SettingsError(
            f"ssh.listen is set, but what it takes is not installed ({error}): pip install 'moontide[ssh]'"
        ) from error
    wanted = DoorSettings(
        listen=settings.listen,
        keys=home / settings.keys,
        host_key=home / settings.host_key,
        memories=(home / MEMORIES_NAME).absolute(),
        sessions=settings.sessions,
        sessions_per_key=settings.sessions_per_key,
        idle_seconds=settings.idle,
    )
    return Door(wanted, socket=socket, callers=callers, note=note)


def stored_jobs(queries: Queries, names: Collection[str] | None) -> dict[str, StoredJob]:
    """Return what the database remembers of at least these jobs (None: of all), by name."""
    few = names if names is not None and len(names) <= LOOKED_UP else None
    return {row.name: stored_job(row) for row in queries.jobs(few)}
