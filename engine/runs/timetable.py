"""Schedules given at run time: kept in the database beside those of the job files.

One for a single run is a planned run from the beginning, and the planner does the rest. One that is due
again and again is a chain: `engine.runs.chains` makes its runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from engine.errors import Refused, ScheduleEnded, ScheduleNotFound
from engine.rules.given import Order, Reading, parse_order
from engine.runs.chain import Chain, Key, joined, key_of_run
from engine.runs.chains import Chains
from engine.runs.dispatcher import Dispatcher
from engine.runs.job import Job
from engine.runs.planner import Planner
from engine.states import RunStatus, ScheduleStatus
from engine.store.given import GivenQueries
from engine.store.journal import Journal
from engine.store.rows import Changes, GivenSchedule, PlannedRun, PlannedTime
from engine.times.clock import Clock
from engine.times.schedule import Schedule

T = TypeVar("T")

#: Schedules of one job that may be given at once, and runs of them that may be to come.
MOST_GIVEN = 10_000


class Timetable:
    """Takes schedules in, and takes them back."""

    def __init__(
        self,
        *,
        clock: Clock,
        chains: Chains,
        dispatcher: Dispatcher,
        planner: Planner,
        journal: Journal,
        queries: GivenQueries,
        reading: Reading,
    ) -> None:
        """Make a timetable; it can take nothing before `load`.

        Args:
            chains: keeps those that are due again and again.
            reading: what requests are read by.
        """
        self._clock = clock
        self._chains = chains
        self._dispatcher = dispatcher
        self._planner = planner
        self._journal = journal
        self._queries = queries
        self._reading = reading
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ids = count(1)

    async def load(self) -> None:
        """Read what the database holds; before that nothing can be given."""
        self._ids = count(await asyncio.to_thread(self._queries.next_id))
        self._chains.take_up(await asyncio.to_thread(self._queries.repeating))

    # Giving

    def read(self, job: Job, raw: Mapping[str, Any]) -> Order:
        """Check a request for a schedule of a job; without a zone of its own it counts in the job's.

        Raises:
            ScheduleError: it tells what is wrong, and what is allowed.
        """
        timezone = (job.settings.timezone if job.settings else "") or self._reading.timezone
        reading = replace(self._reading, timezone=timezone)
        return parse_order(raw, job=job.name, now=self._clock.now(), reading=reading)

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
            run_skipped=order.run_skipped,
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
                earlier = [one for one in self._chains.of_job(row.job) if one.key == key]
                await self._end(earlier, [], reason, Changes(given=(row,)))
                self._chains.put(Chain(row, schedule))
                return row
            run = self._first_run(row)
            row = replace(row, last_run_id=run.id)
            runs = [one for one in self._planner.given_of(row.job) if key_of_run(one) == key]
            await self._end([], runs, reason, Changes(given=(row,), planned=(run,)))
            self._planner.kept(run)
            return row

    def _first_run(self, row: GivenSchedule) -> PlannedRun:
        assert row.due is not None
        return replace(self._chains.run_of(row, row.due), tag=row.tag)

    def _check_room(self, job: str) -> None:
        given = self._chains.count_of(job) + len(self._planner.given_of(job))
        if given >= MOST_GIVEN:
            raise Refused(f"{MOST_GIVEN} schedules of {job} are given already; remove some, or wait")

    # Looking

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

    def count_of(self, job: str) -> int:
        """Return how many schedules of a job are in force."""
        return self._chains.count_of(job) + len(
            {run.schedule_id for run in self._planner.given_of(job) if run.tag is not None}
        )

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
        self, chains: list[Chain], runs: list[PlannedTime], reason: str, with_it: Changes | None = None
    ) -> None:
        """End chains, and runs to come with the single-run schedules they come from, in one transaction.

        Args:
            with_it: what is committed together with that.
        """
        now = self._clock.now()
        for chain in chains:
            self._chains.forget(chain)
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
            changes = changes if with_it is None else joined(changes, with_it)
            await self._journal.together(changes)
        except BaseException:
            for run in taken:
                self._planner.put_back(run)
            for chain in chains:
                self._chains.put(chain)
            raise
        for run in taken:
            self._planner.tell_closed(run.id, run.job, RunStatus.CANCELLED, reason, now)

    def _ending(self, chains: list[Chain], taken: list[PlannedTime], reason: str, now: datetime) -> Changes:
        rows = [chain.row for chain in chains]
        single = {run.schedule_id for run in taken if run.tag is not None}
        rows += [row for one in single if one is not None and (row := self._queries.one(one)) is not None]
        steps = tuple(
            replace(row, status=ScheduleStatus.CANCELLED, ended=now, reason=reason, due=None) for row in rows
        )
        planned = self._queries.planned([run.id for run in taken])
        closing = [self._planner.closing(run, RunStatus.CANCELLED, reason, now) for run in planned]
        return joined(Changes(given_steps=steps), *closing)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work and wait for it; it goes on if the one who waits is cancelled."""
        return await asyncio.shield(self._spawn(work))
