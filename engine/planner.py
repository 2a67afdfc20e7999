"""Runs for a time to come: kept in the database, given to the dispatcher when that time is there.

A planned run has its id from the beginning, and is one row in one of two tables: that of planned runs, or,
from its time on, that of runs. Which one changes in a single transaction.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from engine.clock import Clock
from engine.dispatcher import Dispatcher
from engine.errors import JobNotFound, Refused, RunNotFound, StoreError
from engine.events import Events, RunFinished
from engine.holds import Holds
from engine.job import Job
from engine.scheduler import Scheduler
from engine.states import RunStatus, Trigger
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.rows import PlannedRun, RunEnd, RunRow

logger = logging.getLogger("moontide.planner")

#: Runs of one job that may be planned at once.
MOST_PLANNED = 1000

#: When a planned run is tried again that could not be read from the database, or found too many waiting.
AGAIN = timedelta(seconds=5)


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
        self._session = session
        self._scheduler = Scheduler(clock=clock, on_due=lambda key, _: self._due.put_nowait(int(key)))
        self._due: asyncio.Queue[int] = asyncio.Queue()
        self._planned: dict[int, str] = {}
        self._on_hold: list[int] = []
        dispatcher.hand_retries_to(self.kept)
        self._of_job: Counter[str] = Counter()
        self._beginning: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Take up what the database holds, and let begin what is due, also what became so meanwhile."""
        for run_id, job, due in await asyncio.to_thread(self._queries.planned_times):
            self._arm(run_id, job, due)
        self._beginning = asyncio.create_task(self._begin_all(), name="planned-runs")
        self._scheduler.start()

    async def stop(self) -> None:
        """Let no more runs begin; those that are planned wait in the database for the next start."""
        self._scheduler.stop()
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.wait([self._beginning])

    @property
    def waiting(self) -> int:
        """How many runs are planned."""
        return len(self._planned)

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
        if self._of_job[job.name] >= MOST_PLANNED:
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
        self._arm(planned.id, planned.job, planned.due)

    def kept(self, planned: PlannedRun) -> None:
        """Take up a planned run that somebody else has committed."""
        self._arm(planned.id, planned.job, planned.due)

    def _arm(self, run_id: int, job: str, due: datetime) -> None:
        if run_id not in self._planned:
            self._planned[run_id] = job
            self._of_job[job] += 1
        self._scheduler.arm(str(run_id), due)

    def _forget(self, run_id: int) -> bool:
        """Give up a planned run; return False if it is none (any more)."""
        job = self._planned.pop(run_id, None)
        if job is None:
            return False
        self._of_job[job] -= 1
        self._scheduler.arm(str(run_id), None)
        return True

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
        planned = await asyncio.to_thread(self._queries.planned_run, run_id)
        if planned is None or run_id not in self._planned:
            return
        problem = self._problem_with(planned)
        if problem is None and self._is_paused(planned.job):
            self._on_hold.append(run_id)
        elif problem is None:
            taken = self._dispatcher.take_planned(self._find_job(planned.job), planned)
            if taken:
                self._forget(run_id)
            else:
                self._try_again(run_id)
        elif self._forget(run_id):
            await self._close(planned, RunStatus.SKIPPED, problem)

    def look_again(self) -> None:
        """Let begin, if they may now, what was due while its job was paused."""
        held, self._on_hold = self._on_hold, []
        for run_id in held:
            self._due.put_nowait(run_id)

    def _is_paused(self, name: str) -> bool:
        return self._holds.paused(name, self._find_job(name).settings) is not None

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
        if planned.trigger is Trigger.RETRY and not job.state.active:
            return f"job {planned.job} was switched off before this retry was due"
        return None

    # Ending runs early

    async def cancel(self, run_id: int, reason: str) -> None:
        """End a planned, queued or running run as CANCELLED; returns once that is committed.

        Raises:
            RunNotFound: no such run is planned or in hand.
        """
        if not self._forget(run_id):
            await self._dispatcher.cancel(run_id, reason)
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
        )
        await self._journal.planned_run_dropped(row, RunEnd(status=status, finished=now, error=reason))
        self._events.publish(RunFinished(now, row.id, row.job, status.value, None, None, reason))

    async def _to_its_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work and wait for it; it goes on if the one who waits is cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)
