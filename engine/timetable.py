"""Schedules given at run time: kept in the database beside those of the job files.

One for a single run is a planned run from the beginning, and the planner does the rest. One that is due
again and again is armed here: each time it is due it makes a planned run, in the same transaction in which
it goes on to its next due time. What becomes of that run changes nothing for the schedule.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from engine import slots
from engine.clock import Clock
from engine.dispatcher import Dispatcher
from engine.errors import (
    JobFileError,
    JobNotFound,
    Refused,
    RunNotFound,
    ScheduleEnded,
    ScheduleNotFound,
    StoreError,
)
from engine.events import Event, Events, JobsReloaded, RunFinished, RunsMissed, RunStarted
from engine.gate import Overlap
from engine.given import Order, parse_order, schedule_of
from engine.job import Job
from engine.planner import Planner
from engine.schedule import Schedule
from engine.scheduler import Scheduler
from engine.slots import Skip, Slot
from engine.states import Cause, Fate, JobStatus, RunStatus, ScheduleStatus, Trigger
from engine.store.given import GivenQueries
from engine.store.journal import Journal
from engine.store.rows import Changes, GivenSchedule, JobPatch, PlannedRun, PlannedTime

logger = logging.getLogger("moontide.timetable")

T = TypeVar("T")

#: Schedules of one job that may be given at once, and runs of them that may be to come.
MOST_GIVEN = 10_000

#: Job states in which the due times of given schedules pass, as those of the file's own schedule do.
_QUIET = frozenset({JobStatus.SLEEPING, JobStatus.STOPPED, JobStatus.INACTIVE, JobStatus.DISABLED})

NEVER_AGAIN = "it is never due again"
REPLACED = "replaced by a later run of the same schedule"

#: What a new schedule replaces: those of the same job, user and tag, single runs or repeating ones.
Key = tuple[str, int, str, bool]


@dataclass(slots=True, eq=False)
class _Chain:
    """One that is due again and again, while it is in force; `row` is replaced whole.

    `skipping` is its entry in the slot ledger that grows while its due times are skipped for one reason.
    """

    row: GivenSchedule
    schedule: Schedule | None
    skipping: Slot | None = None

    @property
    def key(self) -> Key:
        return (self.row.job, self.row.user_id, self.row.tag, True)


class Timetable:
    """Takes schedules in, makes their runs, and takes them back."""

    def __init__(
        self,
        *,
        clock: Clock,
        find_job: Callable[[str], Job],
        dispatcher: Dispatcher,
        planner: Planner,
        journal: Journal,
        queries: GivenQueries,
        events: Events,
        timezone: str,
        named_schedules: Mapping[str, str],
    ) -> None:
        """Make a timetable; nothing is due before `start`.

        Args:
            find_job: gives a job by its name; raises JobNotFound.
            timezone: for rules that name none.
            named_schedules: cron lines that rules may name.
        """
        self._clock = clock
        self._find_job = find_job
        self._dispatcher = dispatcher
        self._planner = planner
        self._journal = journal
        self._queries = queries
        self._events = events
        self._timezone = timezone
        self._named = named_schedules
        self._scheduler = Scheduler(clock=clock, on_due=self._came_due)
        self._chains: dict[int, _Chain] = {}
        self._of_job: defaultdict[str, set[int]] = defaultdict(set)
        self._held: defaultdict[str, set[int]] = defaultdict(set)
        #: Runs that a chain made and that have not ended: which chain, and whether they started.
        self._runs: dict[int, tuple[int, bool]] = {}
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._ids = count(1)

    async def load(self) -> None:
        """Read what the database holds; before that nothing can be given."""
        self._ids = count(await asyncio.to_thread(self._queries.next_id))
        for row in await asyncio.to_thread(self._queries.repeating):
            self._remember(_Chain(row, self._understood(row)))

    def start(self) -> None:
        """Begin to serve due times; those that came meanwhile have passed."""
        for chain in list(self._chains.values()):
            self._pass_over(chain, Cause.DOWN, slots.DOWN)
        self._unsubscribe = self._events.subscribe(self._take_event)
        self._scheduler.start()

    def stop(self) -> None:
        """Let no more runs come due; what is kept goes on at the next start."""
        self._scheduler.stop()
        self._unsubscribe()

    # Giving

    def read(self, job: Job, raw: Mapping[str, Any]) -> Order:
        """Check a request for a schedule of a job; without a zone of its own it counts in the job's.

        Raises:
            ScheduleError: it tells what is wrong, and what is allowed.
        """
        timezone = (job.settings.timezone if job.settings else "") or self._timezone
        return parse_order(raw, job=job.name, now=self._clock.now(), timezone=timezone, named=self._named)

    async def give(
        self, job: Job, order: Order, *, created_by: str, called_by: int | None = None
    ) -> GivenSchedule:
        """Take a schedule in place of the one there is for this job, user and tag; return it once committed.

        A single run replaces a single run that is still to come, its retries included; a repeating schedule
        replaces a repeating one.

        Raises:
            Refused: too many are given, or the engine stops.
            StoreUnavailable: the database takes no writes now.
        """
        self._dispatcher.check_open()
        self._journal.check_available()
        self._check_room(job.name)
        row = GivenSchedule(
            id=next(self._ids),
            job=job.name,
            status=ScheduleStatus.ACTIVE,
            words=order.words,
            created=self._clock.now(),
            created_by=created_by,
            rule=order.rule,
            due=order.due,
            user_id=order.user_id,
            tag=order.tag,
            data=order.data,
            retries=order.retries,
            retry_delay=order.retry_delay,
            remove_after=order.remove_after,
            called_by=called_by,
        )
        key = (row.job, row.user_id, row.tag, order.schedule is not None)
        lock = self._locks.setdefault(key, asyncio.Lock())
        return await self._to_its_end(self._give(row, order.schedule, key, lock))

    async def _give(
        self, row: GivenSchedule, schedule: Schedule | None, key: Key, lock: asyncio.Lock
    ) -> GivenSchedule:
        async with lock:
            reason = f"replaced by schedule {row.id}"
            if schedule is not None:
                earlier = [one for one in self._chains_of(row.job) if one.key == key]
                await self._end(earlier, [], reason, Changes(given=(row,)))
                chain = _Chain(row, schedule)
                self._remember(chain)
                self._arm(chain)
                return row
            run = self._first_run(row)
            row = replace(row, last_run_id=run.id)
            runs = [one for one in self._planner.given_of(row.job) if _key_of(one) == key]
            await self._end([], runs, reason, Changes(given=(row,), planned=(run,)))
            self._planner.kept(run)
            return row

    def _first_run(self, row: GivenSchedule) -> PlannedRun:
        assert row.due is not None
        return replace(self._run_of(row, row.due), tag=row.tag)

    def _run_of(self, row: GivenSchedule, due: datetime) -> PlannedRun:
        return PlannedRun(
            id=self._dispatcher.new_run_id(),
            job=row.job,
            due=due,
            planned_at=self._clock.now(),
            data=row.data,
            user_id=row.user_id,
            called_by=row.called_by,
            trigger=Trigger.GIVEN,
            schedule_id=row.id,
        )

    def _check_room(self, job: str) -> None:
        given = len(self._of_job.get(job, ())) + len(self._planner.given_of(job))
        if given >= MOST_GIVEN:
            raise Refused(f"{MOST_GIVEN} schedules of {job} are given already; remove some, or wait")

    # Looking, in a thread

    def one(self, schedule_id: int) -> GivenSchedule:
        """Return a schedule as it stands; blocks.

        Raises:
            ScheduleNotFound: there is no such schedule.
        """
        row = self._queries.one(schedule_id)
        if row is None:
            raise ScheduleNotFound(schedule_id)
        return row

    def in_force(self, job: str, user_id: int | None) -> list[GivenSchedule]:
        """Return the schedules of a job that have not ended, the newest first; blocks.

        Args:
            user_id: only those for this user.
        """
        return self._queries.find(job=job, user_id=user_id, limit=MOST_GIVEN)

    # Taking back

    async def remove(self, schedule_id: int, reason: str) -> GivenSchedule:
        """End a schedule as CANCELLED, with its runs that are still to come; return it once committed.

        Raises:
            ScheduleNotFound: there is no such schedule.
            ScheduleEnded: it has ended already.
        """
        self._journal.check_available()
        row = await asyncio.to_thread(self.one, schedule_id)
        if row.status is not ScheduleStatus.ACTIVE:
            raise ScheduleEnded(schedule_id, row.status.value)
        runs = [run for run in self._planner.given_of(row.job) if run.schedule_id == schedule_id]
        chain = self._chains.get(schedule_id)
        if chain is None and not runs:
            raise ScheduleEnded(schedule_id, ScheduleStatus.OVER.value)
        await self._to_its_end(self._end([chain] if chain else [], runs, reason))
        return await asyncio.to_thread(self.one, schedule_id)

    async def _end(
        self, chains: list[_Chain], runs: list[PlannedTime], reason: str, with_it: Changes | None = None
    ) -> None:
        """End chains, and runs to come with the single-run schedules they come from, in one transaction.

        Args:
            with_it: what is committed together with that.
        """
        now = self._clock.now()
        for chain in chains:
            self._forget(chain)
        chain_ids = {chain.row.id for chain in chains}
        runs += [
            run
            for chain in chains
            for run in self._planner.given_of(chain.row.job)
            if run.schedule_id in chain_ids
        ]
        taken = [run for run in runs if self._planner.take_back(run.id) is not None]
        try:
            changes = await asyncio.to_thread(self._ending, chains, taken, reason, now)
            changes = changes if with_it is None else _joined(changes, with_it)
            await self._journal.together(changes)
        except BaseException:
            for run in taken:
                self._planner.put_back(run)
            for chain in chains:
                self._remember(chain)
                self._arm(chain)
            raise
        for run in taken:
            self._planner.tell_closed(run.id, run.job, RunStatus.CANCELLED, reason, now)

    def _ending(self, chains: list[_Chain], taken: list[PlannedTime], reason: str, now: datetime) -> Changes:
        rows = [chain.row for chain in chains]
        single = {run.schedule_id for run in taken if run.tag is not None}
        rows += [row for one in single if one is not None and (row := self._queries.one(one)) is not None]
        steps = tuple(
            replace(row, status=ScheduleStatus.CANCELLED, ended=now, reason=reason, due=None) for row in rows
        )
        planned = self._queries.planned([run.id for run in taken])
        closing = [self._planner.closing(run, RunStatus.CANCELLED, reason, now) for run in planned]
        return _joined(Changes(given_steps=steps), *closing)

    # When the time has come

    def _came_due(self, key: str, due: datetime) -> None:
        chain = self._chains.get(int(key))
        if chain is not None and chain.schedule is not None:
            self._fire(chain, chain.schedule, due)

    def _fire(self, chain: _Chain, schedule: Schedule, due: datetime) -> None:
        """Make the run of a due time, or note why there is none, and go on to the next."""
        now = self._clock.now()
        if not self._usable(chain.row.job):
            self._hold(chain)
            return
        job = self._find_job(chain.row.job)
        skip = self._why_not(chain, job, due)
        row = self._gone_on(chain.row, schedule.following(due, now), now)
        late = self._of_chain(chain, slots.overtaken(row.job, schedule, due, now))
        if skip is not None:
            chain.skipping = slots.skipped(row.job, due, skip, now, chain.skipping)
            row = replace(row, skipped=row.skipped + 1, note=skip.reason)
            self._keep(chain, row, _noted(chain.skipping, late))
            return
        chain.skipping = None
        run = self._run_of(row, due)
        self._runs[run.id] = (row.id, False)
        self._keep(chain, replace(row, last_run_id=run.id), _noted(late, planned=run), run)

    def _why_not(self, chain: _Chain, job: Job, due: datetime) -> Skip | None:
        skip = self._dispatcher.skip_due(job, due)
        if skip is None and job.state.status in _QUIET:
            skip = Skip(Cause.STATE, f"job {job.name} is {job.state.status.value}: {job.state.reason}")
        if skip is None:
            overlap = Overlap(job.settings.overlap) if job.settings else Overlap.COALESCE
            waits = self._overlapping(chain, overlap)
            skip = Skip(Cause.OVERLAP, waits) if waits else None
        return None if skip is None else replace(skip, reason=f"schedule {chain.row.id}: {skip.reason}")

    def _of_chain(self, chain: _Chain, slot: Slot | None) -> Slot | None:
        return None if slot is None else replace(slot, reason=f"schedule {chain.row.id}: {slot.reason}")

    def _overlapping(self, chain: _Chain, overlap: Overlap) -> str | None:
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

    def _gone_on(self, row: GivenSchedule, following: datetime | None, now: datetime) -> GivenSchedule:
        if following is not None:
            return replace(row, due=following)
        return replace(row, due=None, status=ScheduleStatus.OVER, ended=now, reason=NEVER_AGAIN)

    def _keep(
        self, chain: _Chain, row: GivenSchedule, changes: Changes, run: PlannedRun | None = None
    ) -> None:
        """Let a chain go on as this row says, and commit that."""
        chain.row = row
        if row.status is ScheduleStatus.ACTIVE:
            self._arm(chain)
        else:
            self._forget(chain)
        self._spawn(self._commit(replace(changes, given_steps=(row,)), run))

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

    def _hold(self, chain: _Chain) -> None:
        """Wait for the job's file: until then due times pass, and are counted when it is good."""
        self._held[chain.row.job].add(chain.row.id)
        self._scheduler.arm(str(chain.row.id), None)

    def _pass_over(self, chain: _Chain, cause: Cause, reason: str) -> None:
        """Count what passed until now, and go on with the first time to come."""
        schedule, due, now = chain.schedule, chain.row.due, self._clock.now()
        if schedule is None or due is None or due > now:
            self._arm(chain)
            return
        missed, latest = schedule.missed(due, now), schedule.latest(due, now)
        row = self._gone_on(chain.row, schedule.following(due, now), now)
        reason = f"schedule {row.id}: {reason}"
        slot = Slot(row.job, due, now, latest, missed, Fate.MISSED, cause, reason)
        chain.skipping = None
        self._keep(chain, replace(row, skipped=row.skipped + missed, note=reason), _noted(slot))
        self._events.publish(RunsMissed(now, row.job, missed, latest))

    def _take_event(self, event: Event) -> None:
        match event:
            case RunStarted() if event.run in self._runs:
                self._runs[event.run] = (self._runs[event.run][0], True)
            case RunFinished():
                self._runs.pop(event.run, None)
            case JobsReloaded():
                for job in (*event.added, *event.changed):
                    if self._usable(job):
                        self._release(job)

    def _release(self, job: str) -> None:
        for schedule_id in self._held.pop(job, ()):
            chain = self._chains.get(schedule_id)
            if chain is not None:
                self._pass_over(chain, Cause.STATE, f"there was no job {job}, or its file could not be used")

    def _usable(self, job: str) -> bool:
        """Whether there is such a job, with a good file."""
        try:
            return self._find_job(job).settings is not None
        except JobNotFound:
            return False

    # In memory

    def repeating(self, job: str | None = None) -> list[tuple[GivenSchedule, Schedule]]:
        """Return the repeating schedules in force whose due times are known, of one job or of all."""
        chains: Iterable[_Chain] = self._chains.values() if job is None else self._chains_of(job)
        return [
            (chain.row, chain.schedule)
            for chain in chains
            if chain.schedule is not None and chain.row.id not in self._held.get(chain.row.job, ())
        ]

    def count_of(self, job: str) -> int:
        """Return how many schedules of a job are in force."""
        return len(self._of_job.get(job, ())) + len(
            {run.schedule_id for run in self._planner.given_of(job) if run.tag is not None}
        )

    def _chains_of(self, job: str) -> list[_Chain]:
        return [self._chains[one] for one in self._of_job.get(job, ())]

    def _understood(self, row: GivenSchedule) -> Schedule | None:
        """Return what a row's rule means; None for one that waits until the operator mends moontide.toml."""
        try:
            return schedule_of(row.rule or {}, job=row.job, timezone=self._timezone, named=self._named)
        except JobFileError as error:
            logger.error("schedule %s of %s cannot be due: %s", row.id, row.job, error)
            return None

    def _remember(self, chain: _Chain) -> None:
        self._chains[chain.row.id] = chain
        self._of_job[chain.row.job].add(chain.row.id)

    def _forget(self, chain: _Chain) -> None:
        self._scheduler.arm(str(chain.row.id), None)
        self._chains.pop(chain.row.id, None)
        for by_job in (self._of_job, self._held):
            by_job.get(chain.row.job, set()).discard(chain.row.id)
            if not by_job.get(chain.row.job):
                by_job.pop(chain.row.job, None)

    def _arm(self, chain: _Chain) -> None:
        if chain.schedule is not None:
            self._scheduler.arm(str(chain.row.id), chain.row.due)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work and wait for it; it goes on if the one who waits is cancelled."""
        return await asyncio.shield(self._spawn(work))


def _key_of(run: PlannedTime) -> Key | None:
    """Return by what a run is replaced; None for one that a repeating schedule made."""
    return None if run.tag is None else (run.job, run.user_id, run.tag, False)


def _noted(*found: Slot | None, planned: PlannedRun | None = None) -> Changes:
    """Return what is written of due times that passed without a run, and of one that makes a run."""
    noted = tuple(slot for slot in found if slot is not None)
    patches = (JobPatch(noted[0].job, {}, slots=noted),) if noted else ()
    return Changes(jobs=patches, planned=(planned,) if planned else ())


def _joined(*changes: Changes) -> Changes:
    """Return several changes as one, all or nothing."""
    return Changes(
        planned=tuple(one for change in changes for one in change.planned),
        unplanned=tuple(one for change in changes for one in change.unplanned),
        runs=tuple(one for change in changes for one in change.runs),
        ends=tuple(one for change in changes for one in change.ends),
        given=tuple(one for change in changes for one in change.given),
        given_steps=tuple(one for change in changes for one in change.given_steps),
    )
