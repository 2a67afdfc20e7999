"""Runs for a time to come: kept in the database, given to the dispatcher when that time is there.

A planned run has its id from the beginning, and is one row in one of two tables: that of planned runs, or,
from its time on, that of runs. Which one changes in a single transaction.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from engine.errors import JobNotFound, Refused, RunNotFound, StoreError
from engine.events import Event, Events, JobChanged, JobsReloaded, RunFinished
from engine.rules.holds import Holds
from engine.runs.dispatcher import Dispatcher
from engine.runs.job import Job
from engine.runs.liverun import GivenTerms
from engine.runs.scheduler import Scheduler
from engine.states import RunStatus, Trigger
from engine.store.given import GivenQueries
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.rows import Changes, PlannedRun, PlannedTime, RunEnd, RunRow
from engine.times.clock import Clock

logger = logging.getLogger("moontide.planner")

#: Runs of one job that may be planned at once.
MOST_PLANNED = 1000

#: When a planned run is tried again that could not be read from the database, or found too many waiting.
AGAIN = timedelta(seconds=5)

#: Why planned runs are made that nobody asked for: those of a job that is switched off do not begin.
_OWN = frozenset({Trigger.RETRY, Trigger.MISSED})


class Planner:
    """Keeps planned runs until they are due."""

    def __init__(
        self,
        *,
        clock: Clock,
        find_job: Callable[[str], Job],
        dispatcher: Dispatcher,
        journal: Journal,
        queries: Queries,
        events: Events,
        holds: Holds,
        given: GivenQueries,
        session: int,
    ) -> None:
        """Make a planner; nothing is due before `start`.

        Args:
            find_job: gives a job by its name; raises JobNotFound.
            holds: what keeps jobs from running; a planned run of a paused job stays planned meanwhile.
        """
        self._clock = clock
        self._find_job = find_job
        self._dispatcher = dispatcher
        self._journal = journal
        self._queries = queries
        self._events = events
        self._holds = holds
        #: Those whose time has come while their job was paused.
        self._on_hold: defaultdict[str, list[int]] = defaultdict(list)
        self._given_schedules = given
        self._session = session
        self._scheduler = Scheduler(clock=clock, on_due=lambda key, _: self._due.put_nowait(int(key)))
        self._due: asyncio.Queue[int] = asyncio.Queue()
        self._planned: dict[int, PlannedTime] = {}
        dispatcher.hand_retries_to(self.kept)
        #: Runs that other runs asked for; those of given schedules have a limit of their own.
        self._asked_for: Counter[str] = Counter()
        self._given: defaultdict[str, dict[int, PlannedTime]] = defaultdict(dict)
        #: Of those, the ones whose time has come, but whose job's file cannot be used.
        self._held: defaultdict[str, dict[int, PlannedTime]] = defaultdict(dict)
        self._unsubscribe: Callable[[], None] = lambda: None
        self._beginning: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Take up what the database holds, and let begin what is due, also what became so meanwhile."""
        for planned in await asyncio.to_thread(self._queries.planned_times):
            self._arm(planned)
        self._beginning = asyncio.create_task(self._begin_all(), name="planned-runs")
        self._unsubscribe = self._events.subscribe(self._take_event, (JobChanged, JobsReloaded))
        self._scheduler.start()

    async def stop(self) -> None:
        """Let no more runs begin; those that are planned wait in the database for the next start."""
        self._scheduler.stop()
        self._unsubscribe()
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.wait([self._beginning])

    @property
    def waiting(self) -> int:
        """How many runs are planned."""
        return len(self._planned)

    def given_of(self, job: str) -> list[PlannedTime]:
        """Return the planned runs of a job that come from schedules given at run time."""
        return list(self._given[job].values()) if job in self._given else []

    def given_runs(self) -> list[PlannedTime]:
        """Return all planned runs that come from schedules given at run time."""
        return [planned for of_job in self._given.values() for planned in of_job.values()]

    def runs_of(self, job: str) -> list[int]:
        """Return the ids of a job's planned runs, in order."""
        return sorted(run for run, planned in self._planned.items() if planned.job == job)

    # Planning

    async def plan(
        self, job: Job, due: datetime, *, data: Any = None, user_id: int = 0, called_by: int | None = None
    ) -> int:
        """Plan a run of a job; return its id once that is committed.

        Args:
            due: one that has passed means at once.
            called_by: the run that asks for it.

        Raises:
            Refused: too many runs of this job are planned, or the engine stops.
            StoreUnavailable: the database takes no writes now.
        """
        self._dispatcher.check_open()
        if self._asked_for[job.name] >= MOST_PLANNED:
            raise Refused(f"{MOST_PLANNED} runs of {job.name} are planned already; cancel some, or wait")
        self._journal.check_available()
        planned = PlannedRun(
            id=self._dispatcher.new_run_id(),
            job=job.name,
            due=due,
            planned_at=self._clock.now(),
            data=data,
            user_id=user_id,
            called_by=called_by,
        )
        await self._to_its_end(self._keep(planned))
        return planned.id

    async def _keep(self, planned: PlannedRun) -> None:
        await self._journal.run_planned(planned)
        self.kept(planned)

    def kept(self, planned: PlannedRun) -> None:
        """Take up a planned run that somebody else has committed."""
        self._arm(
            PlannedTime(
                planned.id, planned.job, planned.due, planned.user_id, planned.schedule_id, planned.tag
            )
        )

    def _arm(self, planned: PlannedTime) -> None:
        if planned.id not in self._planned:
            self._planned[planned.id] = planned
            if planned.schedule_id is None:
                self._asked_for[planned.job] += 1
            else:
                self._given[planned.job][planned.id] = planned
        self._scheduler.arm(str(planned.id), planned.due)

    def take_back(self, run_id: int) -> PlannedTime | None:
        """Give up a planned run, which the caller ends on record; return None if it is none (any more)."""
        planned = self._planned.pop(run_id, None)
        if planned is None:
            return None
        if planned.schedule_id is None:
            self._asked_for[planned.job] -= 1
        else:
            self._forget_given(planned)
        self._scheduler.arm(str(run_id), None)
        return planned

    def put_back(self, planned: PlannedTime) -> None:
        """Take up again what was taken back and could not be ended."""
        self._arm(planned)

    def _forget_given(self, planned: PlannedTime) -> None:
        for by_job in (self._given, self._held):
            if planned.job in by_job and not _without(by_job[planned.job], planned.id):
                del by_job[planned.job]

    # When the time has come

    async def _begin_all(self) -> None:
        while True:
            run_id = await self._due.get()
            try:
                await self._begin(run_id)
            except StoreError as error:
                logger.warning("planned run %s cannot be read, and is tried again soon: %s", run_id, error)
                self._try_again(run_id)
            except Refused:
                return
            except Exception:
                logger.exception("planned run %s could not begin; this is a bug of the engine", run_id)

    async def _begin(self, run_id: int) -> None:
        planned, given = await asyncio.to_thread(self._read, run_id)
        if planned is None or run_id not in self._planned:
            return
        problem = self._problem_with(planned)
        if problem is None and self._is_paused(planned.job):
            self._on_hold[planned.job].append(run_id)
        elif problem is None:
            taken = self._dispatcher.take_planned(self._find_job(planned.job), planned, given)
            if taken:
                self.take_back(run_id)
            else:
                self._try_again(run_id)
        elif planned.schedule_id is not None and not self._usable(planned.job):
            self._held[planned.job][run_id] = self._planned[run_id]
        elif self.take_back(run_id):
            await self._close(planned, RunStatus.SKIPPED, problem)

    def look_again(self) -> None:
        """Let begin, if they may now, what was due while its job was paused."""
        for job in list(self._on_hold):
            self._look_again_at(job)

    def _look_again_at(self, job: str) -> None:
        for run_id in self._on_hold.pop(job, ()):
            self._due.put_nowait(run_id)

    def _is_paused(self, name: str) -> bool:
        return self._holds.paused(name, self._find_job(name).settings) is not None

    def _read(self, run_id: int) -> tuple[PlannedRun | None, GivenTerms | None]:
        """Return a planned run, and what it takes from a schedule given at run time."""
        planned = self._queries.planned_run(run_id)
        if planned is None or planned.schedule_id is None:
            return planned, None
        given = self._given_schedules.one(planned.schedule_id)
        if given is None:
            return planned, GivenTerms(planned.schedule_id, planned.tag)
        terms = GivenTerms(given.id, planned.tag, given.retries, given.retry_delay, given.remove_after)
        return planned, terms

    def _take_event(self, event: Event) -> None:
        if isinstance(event, JobChanged):
            # It may have been switched off: that decides about them, before the end of the pause.
            self._look_again_at(event.job)
        elif isinstance(event, JobsReloaded):
            for job in (*event.added, *event.changed):
                if self._usable(job):
                    for run_id in self._held.pop(job, ()):
                        self._scheduler.arm(str(run_id), self._clock.now())

    def _usable(self, job: str) -> bool:
        """Whether there is such a job, with a good file."""
        try:
            return self._find_job(job).settings is not None
        except JobNotFound:
            return False

    def _try_again(self, run_id: int) -> None:
        self._scheduler.arm(str(run_id), self._clock.now() + AGAIN)

    def _problem_with(self, planned: PlannedRun) -> str | None:
        """Return why a planned run cannot begin now."""
        try:
            job = self._find_job(planned.job)
        except JobNotFound:
            return f"there was no job {planned.job} any more when this run was due"
        if job.settings is None:
            return f"job {planned.job} could not run when this run was due: {job.state.reason}"
        if (hold := self._holds.disabled(planned.job, job.settings)) is not None:
            return f"{hold.words()} when this run was due"
        if planned.trigger in _OWN and not job.state.active:
            return f"job {planned.job} was switched off before this run began"
        return None

    # Ending runs early

    async def cancel(self, run_id: int, reason: str, *, now: bool = False) -> None:
        """End a planned, queued or running run as CANCELLED; returns once that is committed.

        Args:
            now: leave one that is under way no time to come to its end by itself.

        Raises:
            RunNotFound: no such run is planned or in hand.
        """
        if self.take_back(run_id) is None:
            await self._dispatcher.cancel(run_id, reason, now=now)
            return
        await self._to_its_end(self._drop(run_id, reason))

    async def _drop(self, run_id: int, reason: str) -> None:
        planned = await asyncio.to_thread(self._queries.planned_run, run_id)
        if planned is None:
            raise RunNotFound(run_id)
        await self._close(planned, RunStatus.CANCELLED, reason)

    async def _close(self, planned: PlannedRun, status: RunStatus, reason: str) -> None:
        """Write a planned run as one that ended without having started."""
        now = self._clock.now()
        await self._journal.together(self.closing(planned, status, reason, now))
        self.tell_closed(planned.id, planned.job, status, reason, now)

    def closing(self, planned: PlannedRun, status: RunStatus, reason: str, now: datetime) -> Changes:
        """Return what is written of a planned run that ends without having started."""
        row = RunRow(
            id=planned.id,
            job=planned.job,
            trigger=planned.trigger,
            attempt=planned.attempt,
            rescheduled_from=planned.rescheduled_from,
            due=planned.due,
            queued=now,
            session=self._session,
            data=planned.data,
            user_id=planned.user_id,
            called_by=planned.called_by,
            schedule_id=planned.schedule_id,
        )
        end = RunEnd(status=status, finished=now, error=reason)
        return Changes(runs=(row,), ends=((row.id, end),), unplanned=(row.id,))

    def tell_closed(self, run_id: int, job: str, status: RunStatus, reason: str, now: datetime) -> None:
        """Tell everyone that a planned run has ended."""
        self._events.publish(RunFinished(now, run_id, job, status.value, None, None, reason))

    async def _to_its_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work and wait for it; it goes on if the one who waits is cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)


def _without(planned: dict[int, PlannedTime], run_id: int) -> dict[int, PlannedTime]:
    planned.pop(run_id, None)
    return planned
