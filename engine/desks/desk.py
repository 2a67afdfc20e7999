"""What operators may ask of a running engine; each request that changes something is audited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.calls.permissions import PermissionMode
from engine.catalog.catalog import Catalog
from engine.catalog.outlook import Changes
from engine.collector import resting
from engine.desks.alertdesk import AlertDesk
from engine.desks.audit import audit_entry
from engine.desks.auditdesk import AuditDesk
from engine.desks.bulkdesk import BulkDesk
from engine.desks.drafts import DraftDesk
from engine.desks.effect import Effect
from engine.desks.enginedesk import EngineDesk, Identity
from engine.desks.historydesk import HistoryDesk
from engine.desks.holddesk import HoldDesk
from engine.desks.jobviews import JobViews
from engine.desks.ledgerdesk import LedgerDesk
from engine.desks.nodedesk import NodeDesk
from engine.desks.overridedesk import OverrideDesk
from engine.desks.overviewdesk import OverviewDesk
from engine.desks.reloaddesk import ReloadDesk
from engine.desks.scheduledesk import ScheduleDesk
from engine.desks.statedesk import StateDesk
from engine.errors import CommitUnknown, JobNotFound, Refused, RunNotFound, SessionClosed, StoreUnavailable
from engine.events import EngineStateChanged, Events
from engine.extensions.plugins import Plugins
from engine.jobs.jobwrite import delete_job_file, write_job_file
from engine.jobsources import sha256
from engine.rules import lifecycle
from engine.rules.forecast import forecast, no_run_while
from engine.rules.holds import Holds
from engine.runfilter import RunFilter
from engine.runs.dispatcher import Dispatcher
from engine.runs.holding import Release
from engine.runs.job import Job, StoredJob
from engine.runs.jobrows import patch_of
from engine.runs.planner import Planner
from engine.runs.scheduler import Scheduler
from engine.sandbox.pool import WorkerPool
from engine.states import FINAL, EngineState, JobStatus, RunStatus
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.times.clock import Clock
from engine.views import (
    ComingView,
    EngineView,
    JobView,
    ListedJob,
    LogLineView,
    NodeView,
    PluginView,
    ProblemView,
    ReloadView,
    RunView,
)


class Desk:
    """Answers the API's requests (see `engine.api.operations.Operations`)."""

    def __init__(
        self,
        *,
        identity: Identity,
        clock: Clock,
        catalog: Catalog,
        scheduler: Scheduler,
        dispatcher: Dispatcher,
        planner: Planner,
        journal: Journal,
        queries: Queries,
        history: HistoryDesk,
        pool: WorkerPool,
        plugins: Plugins,
        schedules: ScheduleDesk,
        events: Events,
        source_bytes: int,
        permissions: PermissionMode,
        drafts: DraftDesk,
        states: StateDesk,
        ledger: LedgerDesk,
        overview: OverviewDesk,
        load_stored: Callable[[Collection[str] | None], Mapping[str, StoredJob]],
        held: Holds,
        holds: HoldDesk,
        alerts: AlertDesk,
        audit: AuditDesk,
        nodes: NodeDesk,
        releases: Sequence[Release],
    ) -> None:
        """Make a desk.

        Args:
            drafts: answers what is asked about job files that are not written yet.
            states: answers what is asked about the state of jobs.
            overview: answers what is asked about settings and library.
            held: what keeps jobs from running.
            holds: answers what is asked about groups and pauses.
            audit: answers what is asked about what operators did.
            nodes: answers what is asked about the engines and workers of the database.
            releases: make up for what passed while jobs were held; called before those may run.
            load_stored: reads what the database remembers of some jobs (None: of all); called in a thread.
        """
        self._identity = identity
        self._clock = clock
        self._catalog = catalog
        self._dispatcher = dispatcher
        self._planner = planner
        self._journal = journal
        self._queries = queries
        self.schedules = schedules
        self._source_bytes = source_bytes
        self._load_stored = load_stored
        self._held = held
        self._views = JobViews(
            catalog=catalog,
            dispatcher=dispatcher,
            held=held,
            alerts=alerts,
            schedules=schedules,
            permissions=permissions,
        )
        self._engine = EngineDesk(
            identity=identity,
            clock=clock,
            catalog=catalog,
            scheduler=scheduler,
            dispatcher=dispatcher,
            journal=journal,
            pool=pool,
            plugins=plugins,
            events=events,
            holds=holds,
            alerts=alerts,
            views=self._views,
        )
        self._effect = Effect(
            clock=clock,
            scheduler=scheduler,
            dispatcher=dispatcher,
            planner=planner,
            journal=journal,
            events=events,
            held=held,
            releases=releases,
        )
        self.holds = holds
        self.audit = audit
        self.nodes = nodes
        self.bulk = BulkDesk(self, holds, lambda job: dispatcher.runs_of(job) + planner.runs_of(job))
        self._reloading = asyncio.Lock()
        self.overrides = OverrideDesk(
            clock=clock,
            catalog=catalog,
            journal=journal,
            session=identity.session,
            added=plugins.additions.settings.values(),
            reloading=self._reloading,
            take_effect=self._effect.take,
            view=self.job,
        )
        self.reloads = ReloadDesk(
            catalog=catalog,
            held=held,
            session=identity.session,
            reloading=self._reloading,
            load_stored=load_stored,
        )
        self.events = events
        self.drafts = drafts
        self.states = states
        self.ledger = ledger
        self.overview = overview
        self.history = history
        self.alerts = alerts
        self.state = EngineState.STARTING

    # The engine

    def set_state(self, state: EngineState, reason: str = "") -> None:
        """Go over into another state and tell everyone."""
        if state is not self.state:
            self.state = state
            self.events.publish(EngineStateChanged(self._clock.now(), state.value, reason))

    def status(self) -> EngineView:
        """Return what the engine as a whole does."""
        return self._engine.status(self.state)

    def metrics(self) -> bytes:
        """Return figures in the text format of Prometheus."""
        return self._engine.metrics()

    def plugins(self) -> list[PluginView]:
        """Return a line about every plugin found."""
        return self._engine.plugins()

    def watch_problems_of(self, ask: Callable[[], list[str]]) -> None:
        """Show the problems of one more part, which is asked whenever they are."""
        self._engine.watch_problems_of(ask)

    def watch_nodes(self, ask: Callable[[], list[NodeView]]) -> None:
        """Show the nodes as they were seen last, and what is wrong with them."""
        self._engine.watch_nodes(ask)

    # Jobs

    def jobs(self) -> list[JobView]:
        """Return all jobs, in the order of their names."""
        return [self._views.of(job) for _, job in sorted(self._catalog.jobs.items())]

    def listed_jobs(self) -> list[ListedJob]:
        """Return what a list shows of all jobs, in the order of their names."""
        return [self._views.listed(job) for _, job in sorted(self._catalog.jobs.items())]

    def job(self, name: str) -> JobView:
        """Return one job."""
        return self._views.of(self._catalog.job(name))

    def coming(self, *, job: str | None, since: datetime | None, count: int) -> list[ComingView]:
        """Return the next due times, in order."""
        jobs = self._catalog.jobs.values() if job is None else [self._catalog.job(job)]
        own = forecast(
            ((one.name, one.state, one.schedule, one.blackout) for one in jobs), since=since, count=count
        )
        given = self.schedules.coming(job=job, since=since, count=count)
        coming = sorted([*own, *given], key=lambda view: (view.due, view.job))[:count]
        return [self._with_hold(view) for view in coming]

    def _with_hold(self, view: ComingView) -> ComingView:
        """Return a due time with what will keep its job from running then."""
        job = self._catalog.jobs.get(view.job)
        hold = self._held.at(view.job, job.settings if job else None, view.due)
        if hold is None:
            return view
        return replace(view, notes=[no_run_while(hold.words()), *view.notes])

    async def job_source(self, name: str) -> tuple[str, str]:
        """Return the text of a job's file, and its hash."""
        source = await self._catalog.files.source(self._catalog.job(name))
        return source.text.decode("utf-8"), source.hash

    async def write_job(
        self, name: str, text: str, *, expected_hash: str | None, create: bool, actor: str
    ) -> JobView:
        """Write a job's file and reload the job."""
        await asyncio.to_thread(
            write_job_file,
            self._catalog.files.folder,
            name,
            text,
            expected_hash=expected_hash,
            create=create,
            max_bytes=self._source_bytes,
        )
        known = self._catalog.jobs.get(name)
        before, after = known.source_hash if known else None, sha256(text.encode())
        await self._audit(actor, "create job" if create else "edit job", name, before, after)
        await self.reload_names({name}, actor=actor)
        return self.job(name)

    async def delete_job(self, name: str, *, actor: str) -> None:
        """Remove a job's file and take the job off the list; its runs stay."""
        job = self._catalog.job(name)
        if job.work is not None:
            raise Refused(f"job {name} is the engine's own and has no file; deactivate it instead")
        await asyncio.to_thread(delete_job_file, self._catalog.files.folder, job.path)
        await self._audit(actor, "delete job", name, before=job.source_hash)
        # A file of this name that comes later is another job: it starts as it says itself.
        await self.reload_names({name}, actor=actor, override=True)

    async def check(self, paths: list[str] | None) -> list[ProblemView]:
        """Declare files of the jobs folder without running them, and return what is wrong with them."""
        names = None if paths is None else {self._name_of(path) for path in paths}
        found = await self._catalog.look(names)
        missing = (names or set()) - {one.name for one in found}
        problems = [ProblemView(one.path, one.line, one.error) for one in found if one.error is not None]
        return problems + [ProblemView(f"{name}.lua", None, "no such file") for name in sorted(missing)]

    def _name_of(self, path: str) -> str:
        """Return the name of the job in a file, given by its whole path or the one below the jobs folder."""
        return path.removeprefix(f"{self._catalog.files.folder}/").removesuffix(".lua")

    async def activate(self, name: str, *, actor: str) -> JobView:
        """Switch a job on; an INACTIVE job runs again after a reload."""
        return await self._switch(name, lifecycle.activate, "activate", actor)

    async def deactivate(self, name: str, *, actor: str) -> JobView:
        """Switch a job off; a run under way goes on."""
        return await self._switch(name, lifecycle.deactivate, "deactivate", actor)

    async def _switch(
        self, name: str, change: Callable[[lifecycle.JobState], lifecycle.JobState], action: str, actor: str
    ) -> JobView:
        self._journal.check_available()
        job = self._catalog.job(name)
        before = job.state
        self._dispatcher.change_job(job, change(before))
        entry = audit_entry(
            self._clock.now(), actor, action, name, before.status.value, job.state.status.value
        )
        await self._journal.job_changed([patch_of(job)], entry)
        self._dispatcher.tell_job(job)
        return self._views.of(job)

    # Reading the folder

    async def load(self, known: Callable[[], None] = lambda: None) -> list[Job]:
        """Read the folder as an engine starts, and go on from what the database remembers.

        Args:
            known: called once the jobs are known, before anybody can ask for a run of theirs.

        Returns:
            the jobs that are to run once because the engine starts (`run_at_start`).
        """
        # Nearly all that is made here stays, and nobody else is at work yet.
        with resting():
            stored = await asyncio.to_thread(self._load_stored, None)
            changes = await self._catalog.load(stored, self._identity.session)
            known()
            start_now, changes.start_now = changes.start_now, []
            await self._effect.take(changes, stored=stored)
        return start_now

    async def reload_saved(self, names: set[str] | None) -> None:
        """Read the files of some jobs (None: the whole folder) again because they were saved."""
        await self.reload_names(names, actor="watch via folder")

    async def reload(self, name: str | None = None, *, override: bool = False, actor: str) -> ReloadView:
        """Read the jobs folder again, or the file of one job, and return what changed."""
        view = await self.reload_names(None if name is None else {name}, actor=actor, override=override)
        if name is not None and name not in self._catalog.jobs and not view.removed:
            raise JobNotFound(name, self._catalog.jobs)
        if name is not None:
            await self._audit(actor, "reload job", name, before=view.dropped or None)
        return view

    async def reload_names(
        self, names: Collection[str] | None, *, actor: str, override: bool = False
    ) -> ReloadView:
        """Read the files of some jobs (None: the whole folder) and return what changed."""
        async with self._reloading:
            self._refuse_while_draining()
            began = time.monotonic()
            if names is None:
                self.set_state(EngineState.RELOADING)
            try:
                stored = await asyncio.to_thread(self._load_stored, names)
                changes = await self._catalog.reload(stored, self._identity.session, names, override=override)
                await self._effect.take(changes)
            finally:
                if self.state is EngineState.RELOADING:
                    self.set_state(EngineState.RUNNING)
            view = _reload_view(changes, self._invalid(names), (time.monotonic() - began) * 1000)
            if names is None:
                await self._audit(actor, "reload", "", before=view.dropped or None)
            return view

    def _invalid(self, names: Iterable[str] | None) -> dict[str, str]:
        """Return why files cannot be used, also those that were bad before: by job, of some or of all."""
        looked_at = self._catalog.jobs if names is None else set(names) & self._catalog.jobs.keys()
        jobs = [self._catalog.jobs[name] for name in sorted(looked_at)]
        return {job.name: job.state.reason for job in jobs if job.state.status is JobStatus.INVALID}

    def _refuse_while_draining(self) -> None:
        if self.state in (EngineState.DRAINING, EngineState.STOPPED):
            raise Refused("the engine is stopping")

    # Runs

    async def run_job(self, name: str, *, data: Any = None, user_id: int = 0, actor: str) -> RunView:
        """Accept a run of a job, started by a person, and return it queued or running.

        Raises:
            CommitUnknown: the database went away before more could be told than the error says.
        """
        job = self._catalog.job(name)
        run = await self._dispatcher.submit(job, data=data, user_id=user_id)
        try:
            await self._audit(actor, "run job", name, after=run.id)
            return await self.run(run.id)
        except (StoreUnavailable, SessionClosed) as error:
            # To whoever asked, the error of the database alone would mean that there is no run.
            raise CommitUnknown(
                f"run {run.id} was taken, and then the database went away: {error}"
            ) from error

    async def cancel(self, run_id: int, *, now: bool = False, actor: str) -> RunView:
        """End a planned, queued or running run as CANCELLED, and return it."""
        present = await self.run(run_id)
        if RunStatus(present.status) in FINAL:
            raise Refused(f"run {run_id} has ended already ({present.status})")
        self._journal.check_available()
        try:
            await self._planner.cancel(run_id, f"cancelled by {actor}", now=now)
        except RunNotFound:
            return await self.run(run_id)
        await self._audit(
            actor,
            "cancel run now" if now else "cancel run",
            str(run_id),
            present.status,
            RunStatus.CANCELLED.value,
        )
        return await self.run(run_id)

    async def runs(
        self,
        *,
        job: str | None = None,
        status: RunStatus | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[RunView]:
        """Return runs, newest first."""
        wanted = RunFilter(job=job, statuses=(status,) if status else ())
        return await self.history.find(wanted, before=before, limit=limit)

    async def run(self, run_id: int) -> RunView:
        """Return one run."""
        return await self.history.run(run_id)

    async def log(self, run_id: int, *, after: int = 0, limit: int = 1000) -> list[LogLineView]:
        """Return lines of a run's log after a line number, oldest first."""
        await self.run(run_id)
        return await asyncio.to_thread(self._queries.log, run_id, after=after, limit=limit)

    async def note(self, action: str, target: str, *, actor: str) -> None:
        """Put an action down in the audit table that is done elsewhere, such as by a plugin's route."""
        await self._audit(actor, action, target)

    async def _audit(
        self, actor: str, action: str, target: str, before: Any = None, after: Any = None
    ) -> None:
        await self._journal.audited(audit_entry(self._clock.now(), actor, action, target, before, after))


def _reload_view(changes: Changes, invalid: dict[str, str], duration_ms: float) -> ReloadView:
    names = {
        "added": changes.added,
        "changed": changes.changed,
        "removed": changes.removed,
        "revived": changes.revived,
    }
    return ReloadView(
        **{key: [job.name for job in jobs] for key, jobs in names.items()},
        invalid=invalid,
        unchanged=changes.unchanged,
        duration_ms=duration_ms,
        modules=changes.modules,
        dropped={name: dict(overrides) for name, overrides in changes.dropped.items()},
    )
