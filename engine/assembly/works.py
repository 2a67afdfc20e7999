"""The parts that see runs through, from what a job file says to what is told when something goes wrong.

They need each other in circles, so each is made when it is asked for first, and what is needed only later is
given as a function.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import cached_property

from engine.alerts.alertbook import AlertBook
from engine.alerts.alerting import Alerts
from engine.assembly.ground import Ground
from engine.catalog.catalog import Catalog
from engine.declarations import Declarations
from engine.extensions.executors import Executor, RunQueue
from engine.parts import declaring_fingerprint, make_job_files, make_runner, start_executor
from engine.rules.given import Reading
from engine.rules.holds import Holds
from engine.runs.chains import Chains
from engine.runs.cleanup import Cleanup
from engine.runs.clockset import ClockSet
from engine.runs.dispatcher import Dispatcher
from engine.runs.holding import Holding
from engine.runs.ledger import in_blackout
from engine.runs.liverun import label_limits
from engine.runs.ownjob import OwnJob
from engine.runs.planner import Planner
from engine.runs.release import Release
from engine.runs.runcalls import RunCalls
from engine.runs.runner import Runner
from engine.runs.scheduler import Scheduler
from engine.runs.timetable import Timetable
from engine.store.aging import Aging
from engine.store.alertrows import AlertQueries
from engine.store.holds import stored_holds
from engine.store.pruning import Pruning
from engine.views import JobView


class Works:
    """The parts of one engine that see runs through."""

    def __init__(self, ground: Ground) -> None:
        """Make none of them yet."""
        self.ground = ground
        self.holds = Holds()
        self.runner: Runner
        self._executor: Executor

    async def open(self, parts: AsyncExitStack, *, find_view: Callable[[str], JobView | None]) -> None:
        """Open what carries runs out, until `parts` is closed; nothing else may be asked for before.

        Args:
            find_view: gives a job as the API shows it, for services of plugins.

        Raises:
            SettingsError, PluginError: it cannot be opened.
        """
        ground = self.ground
        self.runner = await make_runner(
            ground.pool,
            ground.plugins,
            ground.documents,
            self.catalog.files,
            ground.settings,
            parts,
            home=ground.home,
            runs=self._run_calls,
            own_job=self._own_job,
            find_job=find_view,
        )
        self._executor = await start_executor(
            ground.settings,
            ground.plugins,
            self.runner,
            parts,
            home=ground.home,
            carried_by=self._carried_by,
        )

    # Jobs and their times

    @cached_property
    def catalog(self) -> Catalog:
        """The jobs folder."""
        ground = self.ground
        memory = Declarations(
            ground.journal, ground.database.reader, fingerprint=declaring_fingerprint(ground.plugins)
        )
        files = make_job_files(
            ground.folder,
            ground.pool,
            ground.settings,
            additions=ground.plugins.additions,
            built_in=[self._cleanup.as_job(ground.settings.retention.every)],
            memory=memory,
        )
        return Catalog(files, ground.clock)

    @cached_property
    def _cleanup(self) -> Cleanup:
        ground = self.ground
        return Cleanup(
            clock=ground.clock,
            journal=ground.journal,
            pruning=Pruning(ground.database.reader),
            aging=Aging(ground.database.reader),
            known_sources=lambda: self.dispatcher.sources,
            kept=ground.settings.kept_runs(),
            kept_seconds=ground.settings.kept_seconds(),
        )

    @cached_property
    def scheduler(self) -> Scheduler:
        """Which job is due next."""
        return Scheduler(
            clock=self.ground.clock,
            on_due=lambda job, due: self.dispatcher.due(job, due),
            on_set_back=lambda now, by: self._clock_set.went_back(now, by),
        )

    @cached_property
    def _clock_set(self) -> ClockSet:
        return ClockSet(jobs=self.catalog.jobs, dispatcher=self.dispatcher, journal=self.ground.journal)

    # Runs

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """Takes runs in and sees each one through."""
        ground, settings = self.ground, self.ground.settings
        return Dispatcher(
            clock=ground.clock,
            find_job=self.catalog.jobs.get,
            read_source=self.catalog.files.source,
            arm=self.scheduler.arm,
            skip_due=lambda job, due: self.holds.skip(job.name, job.settings, due) or in_blackout(job, due),
            runner=self._executor,
            journal=ground.journal,
            states=ground.states,
            events=ground.events,
            session=ground.session,
            first_run_id=ground.first_run_id,
            pool_size=settings.pool.size,
            label_limits=label_limits(settings.limits.tags, settings.limits.groups),
            holds=self.holds,
            limits=settings.run_limits(),
            timezone=settings.timezone,
            stop_grace=settings.engine.stop_grace,
            on_error=ground.plugins.additions.policies,
        )

    @cached_property
    def planner(self) -> Planner:
        """Runs to come."""
        ground = self.ground
        return Planner(
            clock=ground.clock,
            find_job=self.catalog.job,
            dispatcher=self.dispatcher,
            journal=ground.journal,
            queries=ground.queries,
            events=ground.events,
            holds=self.holds,
            given=ground.given,
            session=ground.session,
        )

    # Schedules given at run time

    @cached_property
    def _reading(self) -> Reading:
        settings = self.ground.settings
        return Reading(settings.timezone, settings.schedules, self.ground.plugins.additions)

    @cached_property
    def chains(self) -> Chains:
        """Schedules given at run time that are due again and again."""
        ground = self.ground
        return Chains(
            clock=ground.clock,
            find_job=self.catalog.job,
            dispatcher=self.dispatcher,
            planner=self.planner,
            holds=self.holds,
            journal=ground.journal,
            events=ground.events,
            newest=ground.slots.newest,
            reading=self._reading,
            changed=self.alerts.given_changed,
        )

    @cached_property
    def timetable(self) -> Timetable:
        """What gives and takes back schedules at run time."""
        ground = self.ground
        return Timetable(
            clock=ground.clock,
            chains=self.chains,
            dispatcher=self.dispatcher,
            planner=self.planner,
            journal=ground.journal,
            queries=ground.given,
            reading=self._reading,
        )

    # Holds

    @cached_property
    def release(self) -> Release:
        """What becomes of a job's times when a hold ends."""
        ground = self.ground
        return Release(
            clock=ground.clock,
            holds=self.holds,
            dispatcher=self.dispatcher,
            planner=self.planner,
            journal=ground.journal,
            newest=ground.slots.newest_of,
        )

    @cached_property
    def holding(self) -> Holding:
        """Puts holds on jobs and groups, and lifts them."""
        ground = self.ground
        return Holding(
            clock=ground.clock,
            holds=self.holds,
            jobs=self.catalog.jobs.values,
            dispatcher=self.dispatcher,
            planner=self.planner,
            journal=ground.journal,
            events=ground.events,
            stored=lambda: stored_holds(ground.database.reader),
            releases=(self.release.letting_go, self.chains.letting_go),
        )

    # Alerts

    @cached_property
    def alert_book(self) -> AlertBook:
        """Ongoing problems, written down."""
        return AlertBook(self.ground.journal, self.ground.clock)

    @cached_property
    def alert_queries(self) -> AlertQueries:
        """What is asked of them."""
        return AlertQueries(self.ground.database.reader)

    @cached_property
    def alerts(self) -> Alerts:
        """Finds problems, and tells of them."""
        ground = self.ground
        return Alerts(
            jobs=self.catalog.jobs,
            rules=ground.settings.alert_rules(),
            timezone=ground.settings.timezone,
            book=self.alert_book,
            queries=ground.queries,
            stored=self.alert_queries,
            events=ground.events,
            clock=ground.clock,
            held=lambda job: self.holds.on(job.name, job.settings) is not None,
            runs_now=lambda job: bool(self.dispatcher.gate.runs_now(job)),
            given=lambda job: self.chains.repeating(job),
        )

    # What runs ask of the engine

    def _run_calls(self) -> RunCalls:
        return RunCalls(
            find_job=self.catalog.job,
            dispatcher=self.dispatcher,
            planner=self.planner,
            timetable=self.timetable,
            queries=self.ground.queries,
        )

    def _own_job(self) -> OwnJob:
        ground = self.ground
        return OwnJob(
            clock=ground.clock,
            find_job=self.catalog.job,
            dispatcher=self.dispatcher,
            states=ground.states,
            journal=ground.journal,
        )

    def _carried_by(self, queue: RunQueue) -> AbstractAsyncContextManager[Executor]:
        # What speaks to the server takes a while to load, and few engines need it.
        from engine.remote.answering import Answers
        from engine.remote.carrying import carried_by

        ground, means = self.ground, self.runner.means
        answers = Answers(
            runs=means.runs, own_job=means.own_job, library=means.library, journal=ground.journal
        )
        return carried_by(
            queue,
            database=ground.database,
            journal=ground.journal,
            session=ground.session,
            answers=answers,
            clock=ground.clock,
            modules=ground.plugins.modules,
        )
