"""The repeating schedules given at run time that are in force: armed here, and made into runs when due.

Each time one is due it makes a planned run, in the same transaction in which it goes on to its next due
time. What becomes of that run changes nothing for the schedule.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from msgspec import structs

from engine.errors import JobFileError, JobNotFound, RunNotFound, StoreError
from engine.events import Event, Events, JobsReloaded, RunFinished, RunsMissed, RunsSkipped, RunStarted
from engine.rules import slots
from engine.rules.given import Reading, schedule_of
from engine.rules.holds import Holds
from engine.rules.slots import Skip, Slot
from engine.runs.catchup import MADE_UP, in_blackouts
from engine.runs.chain import Chain, gone_on, noted, still_owes
from engine.runs.dispatcher import Dispatcher
from engine.runs.gate import Overlap
from engine.runs.job import Job
from engine.runs.planner import Planner
from engine.runs.scheduler import Scheduler
from engine.states import Cause, Fate, JobStatus, ScheduleStatus, Trigger
from engine.store.journal import Journal
from engine.store.rows import Changes, GivenSchedule, PlannedRun
from engine.times.clock import Clock
from engine.times.schedule import Schedule

logger = logging.getLogger("moontide.timetable")

#: Job states in which the due times of given schedules pass, as those of the file's own schedule do.
_QUIET = frozenset({JobStatus.SLEEPING, JobStatus.STOPPED, JobStatus.INACTIVE, JobStatus.DISABLED})

REPLACED = "replaced by a later run of the same schedule"


class Chains:
    """Keeps repeating schedules, and makes their runs."""

    def __init__(
        self,
        *,
        clock: Clock,
        find_job: Callable[[str], Job],
        dispatcher: Dispatcher,
        planner: Planner,
        holds: Holds,
        journal: Journal,
        events: Events,
        newest: Callable[[str, int], Slot | None],
        reading: Reading,
        changed: Callable[[str], None],
    ) -> None:
        """Make a keeper of chains; nothing is due before `start`.

        Args:
            find_job: gives a job by its name; raises JobNotFound.
            holds: what keeps jobs from running.
            newest: reads the latest slot of a job's given schedule; called in a thread.
            reading: what rules are read by.
            changed: called with a job's name when one of its schedules comes into force or is no longer.
        """
        self._clock = clock
        self._find_job = find_job
        self._dispatcher = dispatcher
        self._planner = planner
        self._holds = holds
        self._journal = journal
        self._events = events
        self._newest = newest
        self._reading = reading
        self._changed = changed
        self._scheduler = Scheduler(clock=clock, on_due=self._came_due)
        self._chains: dict[int, Chain] = {}
        self._of_job: defaultdict[str, set[int]] = defaultdict(set)
        self._held: defaultdict[str, set[int]] = defaultdict(set)
        #: Runs that a chain made and that have not ended: which chain, and whether they started.
        self._runs: dict[int, tuple[int, bool]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unsubscribe: Callable[[], None] = lambda: None

    def take_up(self, rows: Iterable[GivenSchedule]) -> None:
        """Take up what the database holds; called before `start`."""
        for row in rows:
            self.remember(Chain(row, self._understood(row)))

    def start(self) -> None:
        """Begin to serve due times; those that came meanwhile have passed."""
        for chain in list(self._chains.values()):
            self._pass_over(chain, Cause.DOWN, slots.DOWN)
        self._unsubscribe = self._events.subscribe(self._take_event, (RunStarted, RunFinished, JobsReloaded))
        self._scheduler.start()

    def stop(self) -> None:
        """Let no more runs come due; what is kept goes on at the next start."""
        self._scheduler.stop()
        self._unsubscribe()

    # In force

    def get(self, schedule_id: int) -> Chain | None:
        """Return one that is in force."""
        return self._chains.get(schedule_id)

    def of_job(self, job: str) -> list[Chain]:
        """Return those of a job."""
        return [self._chains[one] for one in self._of_job.get(job, ())]

    def count_of(self, job: str) -> int:
        """Return how many there are of a job."""
        return len(self._of_job.get(job, ()))

    def repeating(self, job: str | None = None) -> list[tuple[GivenSchedule, Schedule]]:
        """Return those whose due times are known, of one job or of all."""
        chains: Iterable[Chain] = self._chains.values() if job is None else self.of_job(job)
        return [
            (chain.row, chain.schedule)
            for chain in chains
            if chain.schedule is not None and chain.row.id not in self._held.get(chain.row.job, ())
        ]

    def put(self, chain: Chain) -> None:
        """Put one in force, which the caller has committed or found that it stays."""
        self.remember(chain)
        self._arm(chain)

    def remember(self, chain: Chain) -> None:
        """Count one among those in force; it is not due before it is armed."""
        self._chains[chain.row.id] = chain
        self._of_job[chain.row.job].add(chain.row.id)
        self._changed(chain.row.job)

    def forget(self, chain: Chain) -> None:
        """Let one be due no more; the caller ends it on record."""
        self._scheduler.arm(str(chain.row.id), None)
        self._chains.pop(chain.row.id, None)
        for by_job in (self._of_job, self._held):
            by_job.get(chain.row.job, set()).discard(chain.row.id)
            if not by_job.get(chain.row.job):
                by_job.pop(chain.row.job, None)
        self._changed(chain.row.job)

    def _arm(self, chain: Chain) -> None:
        if chain.schedule is not None:
            self._scheduler.arm(str(chain.row.id), chain.row.due)

    def _understood(self, row: GivenSchedule) -> Schedule | None:
        """Return what a row's rule means; None for one that waits until the operator mends moontide.toml."""
        try:
            return schedule_of(row.rule or {}, job=row.job, reading=self._reading)
        except JobFileError as error:
            logger.error("schedule %s of %s cannot be due: %s", row.id, row.job, error)
            return None

    # When the time has come

    def _came_due(self, key: str, due: datetime) -> None:
        chain = self._chains.get(int(key))
        if chain is not None and chain.schedule is not None:
            self._fire(chain, chain.schedule, due)

    def _fire(self, chain: Chain, schedule: Schedule, due: datetime) -> None:
        """Make the run of a due time, or note why there is none, and go on to the next."""
        now = self._clock.now()
        job = self._good_job(chain.row.job)
        if job is None:
            self._hold(chain)
            return
        skip = self._why_not(chain, job, due)
        overtaken = slots.overtaken(job.name, schedule, due, now)
        late = chain.own(overtaken) if overtaken else None
        if skip is not None:
            self._skip(chain, job, due, skip, late)
            return
        chain.skipping = None
        run = self.run_of(chain.row, due)
        row = gone_on(chain.row, schedule.following(due, now), now)
        self._keep(chain, row, noted(late, planned=run), run)

    def _skip(self, chain: Chain, job: Job, due: datetime, skip: Skip, late: Slot | None) -> None:
        """Note why a due time makes no run, and tell it once for all that follow alike."""
        now, before = self._clock.now(), chain.skipping
        slot = chain.skip(due, skip, now)
        row = self._passed(chain, job, slot, now)
        row = replace(row, skipped=row.skipped + 1, note=slot.reason)
        self._keep(chain, row, noted(slot, late))
        if before is None or before.noted != slot.noted:
            self._events.publish(RunsSkipped(now, job.name, due, skip.cause.value, slot.reason))

    def _passed(self, chain: Chain, job: Job | None, slot: Slot, now: datetime) -> GivenSchedule:
        """Return the row of a chain whose times up to now, those of the slot, have passed without a run."""
        assert chain.schedule is not None
        following = chain.schedule.following(slot.last_due, now)
        owes = job is not None and slot.cause in MADE_UP and chain.wants_made_up(job.settings)
        if following is None and owes and slot.run_id is None:
            return still_owes(chain.row)
        return gone_on(chain.row, following, now)

    def run_of(self, row: GivenSchedule, due: datetime, trigger: Trigger = Trigger.GIVEN) -> PlannedRun:
        """Return the run that a schedule makes for a time."""
        return PlannedRun(
            id=self._dispatcher.new_run_id(),
            job=row.job,
            due=due,
            planned_at=self._clock.now(),
            data=row.data,
            user_id=row.user_id,
            called_by=row.called_by,
            trigger=trigger,
            schedule_id=row.id,
        )

    def _why_not(self, chain: Chain, job: Job, due: datetime) -> Skip | None:
        skip = self._dispatcher.skip_due(job, due)
        if skip is None and job.state.status in _QUIET:
            skip = Skip(Cause.STATE, f"job {job.name} is {job.state.status.value}: {job.state.reason}")
        if skip is None:
            overlap = Overlap(job.settings.overlap) if job.settings else Overlap.COALESCE
            waits = self._overlapping(chain, overlap)
            skip = Skip(Cause.OVERLAP, waits) if waits else None
        return skip

    def _overlapping(self, chain: Chain, overlap: Overlap) -> str | None:
        """Let the job's overlap policy decide between the runs of one schedule.

        Between different schedules, and with the job's other runs, none is lost: they go one after another.
        """
        mine = {run: started for run, (one, started) in self._runs.items() if one == chain.row.id}
        if overlap is Overlap.COALESCE and not all(mine.values()):
            return "an earlier run of it still waits, and serves for this time too"
        if overlap is Overlap.SKIP and mine:
            return "an earlier run of it is not done"
        if overlap is Overlap.REPLACE:
            for run_id in mine:
                self._spawn(self._replace_run(run_id))
        return None

    async def _replace_run(self, run_id: int) -> None:
        try:
            await self._planner.cancel(run_id, REPLACED)
        except RunNotFound:
            # It came to its end meanwhile.
            return

    def _keep(
        self, chain: Chain, row: GivenSchedule, changes: Changes, run: PlannedRun | None = None
    ) -> None:
        """Let a chain go on as this row says, with the run that it makes, and commit that."""
        if run is not None:
            self._runs[run.id] = (row.id, False)
            row = replace(row, last_run_id=run.id)
        chain.row = row
        if row.status is ScheduleStatus.ACTIVE:
            self._arm(chain)
        else:
            self.forget(chain)
        self._spawn(self._commit(structs.replace(changes, given_steps=(row,)), run))

    async def _commit(self, changes: Changes, run: PlannedRun | None) -> None:
        try:
            await self._journal.together(changes)
        except StoreError as error:
            if run is not None:
                self._runs.pop(run.id, None)
            logger.error("a step of a given schedule is not on record: %s", error)
            return
        if run is not None:
            self._planner.kept(run)

    # What passes without a run

    def _hold(self, chain: Chain) -> None:
        """Wait for the job's file: until then due times pass, and are counted when it is good."""
        self._held[chain.row.job].add(chain.row.id)
        self._scheduler.arm(str(chain.row.id), None)

    def _pass_over(self, chain: Chain, cause: Cause, reason: str) -> None:
        """Count what passed until now, and go on with the first time to come."""
        schedule, due, now = chain.schedule, chain.row.due, self._clock.now()
        if schedule is None or due is None or due > now:
            self._arm(chain)
            return
        name, job = chain.row.job, self._good_job(chain.row.job)
        missed, latest = schedule.missed(due, now), schedule.latest(due, now)
        slot = chain.own(Slot(name, due, now, latest, missed, Fate.MISSED, cause, reason))
        chain.skipping = None
        run = self._making_up(chain, job, slot)
        slot = replace(slot, run_id=run.id if run else None)
        row = self._passed(chain, job, slot, now)
        row = replace(row, skipped=row.skipped + missed, note=slot.reason)
        self._keep(chain, row, noted(slot, planned=run), run)
        self._events.publish(RunsMissed(now, name, missed, latest))

    # Making up for it

    def _making_up(self, chain: Chain, job: Job | None, slot: Slot) -> PlannedRun | None:
        """Return the one run that makes up for the times of a slot, if it is wanted and may be now."""
        if job is None or slot.cause not in MADE_UP or not chain.wants_made_up(job.settings):
            return None
        if job.state.status in _QUIET or self._holds.on(job.name, job.settings) is not None:
            return None
        if in_blackouts(slot, chain.schedule, job.blackout):
            return None
        return self.run_of(chain.row, slot.last_due, Trigger.MISSED)

    def letting_go(self, jobs: Collection[Job]) -> Coroutine[Any, Any, None]:
        """Return the work that makes up for what passed; called before anything of the jobs may start.

        It is to be done when they are let go. What something else still holds goes on waiting.
        """
        asking = [
            (chain, chain.row.due)
            for job in jobs
            for chain in self.of_job(job.name)
            if chain.row.skipped and (chain.wants_made_up(job.settings) or chain.row.due is None)
        ]
        for chain, _ in asking:
            # What passes from now on is another story, and must not grow what was.
            chain.skipping = None
        return self._make_up_all(asking)

    async def _make_up_all(self, asking: list[tuple[Chain, datetime | None]]) -> None:
        for chain, due in asking:
            try:
                newest = await asyncio.to_thread(self._newest, chain.row.job, chain.row.id)
            except StoreError as error:
                logger.error("schedule %s does not make up for what passed: %s", chain.row.id, error)
                continue
            if newest is not None and self._is_open(chain, newest, due):
                self._make_up(chain, newest)

    def _is_open(self, chain: Chain, newest: Slot, due: datetime | None) -> bool:
        """Return whether no run stands yet for the latest times that passed.

        Args:
            due: when the chain was due next before its job was let go: after those times, and no run between.
        """
        if self._chains.get(chain.row.id) is not chain or chain.schedule is None:
            return False
        if newest.run_id is not None or newest.last_due == chain.made_up:
            return False
        return chain.schedule.following(newest.last_due, newest.last_due) == due

    def _make_up(self, chain: Chain, slot: Slot) -> None:
        job, now = self._good_job(chain.row.job), self._clock.now()
        run = self._making_up(chain, job, slot)
        over = chain.row.due is None and (job is None or self._holds.on(job.name, job.settings) is None)
        row = gone_on(chain.row, None, now) if over else chain.row
        if run is not None:
            chain.made_up = slot.last_due
            self._keep(chain, row, noted(replace(slot, run_id=run.id), planned=run), run)
        elif over:
            self._keep(chain, row, Changes())

    def _take_event(self, event: Event) -> None:
        match event:
            case RunStarted() if event.run in self._runs:
                self._runs[event.run] = (self._runs[event.run][0], True)
            case RunFinished():
                self._runs.pop(event.run, None)
            case JobsReloaded():
                for job in (*event.added, *event.changed):
                    if self._good_job(job) is not None:
                        self._release(job)

    def _release(self, job: str) -> None:
        for schedule_id in self._held.pop(job, ()):
            chain = self._chains.get(schedule_id)
            if chain is not None:
                self._pass_over(chain, Cause.STATE, f"there was no job {job}, or its file could not be used")
        self._changed(job)

    def _good_job(self, name: str) -> Job | None:
        """Return the job of this name if there is one and its file is good."""
        try:
            job = self._find_job(name)
        except JobNotFound:
            return None
        return job if job.settings is not None else None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
