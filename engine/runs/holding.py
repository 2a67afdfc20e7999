"""Keeps holds in the database, lets them take effect, and ends those whose time is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from engine.errors import StoreError
from engine.events import Events, HoldChanged
from engine.rules.holds import Hold, HoldKey, HoldKind, Holds, HoldScope
from engine.runs.dispatcher import Dispatcher
from engine.runs.gate import EVERY, job_label
from engine.runs.job import Job
from engine.runs.liverun import GROUP
from engine.runs.planner import Planner
from engine.runs.scheduler import Scheduler
from engine.store.holds import drop_hold, keep_hold
from engine.store.journal import Journal
from engine.store.rows import AuditEntry
from engine.times.clock import Clock

logger = logging.getLogger("moontide.holds")

#: Jobs that are told of in one go, before others get their turn on the loop.
TOLD_TOGETHER = 200

#: When the end of a pause is tried again that could not be written.
AGAIN = timedelta(seconds=5)


#: Takes the jobs that are about to be let go, and gives the work to be done when they are.
Release = Callable[[Collection[Job]], Coroutine[Any, Any, None]]


class Holding:
    """The part that carries out what `engine.rules.holds` says."""

    def __init__(
        self,
        *,
        clock: Clock,
        holds: Holds,
        jobs: Callable[[], Collection[Job]],
        dispatcher: Dispatcher,
        planner: Planner,
        journal: Journal,
        events: Events,
        stored: Callable[[], list[Hold]],
        releases: Sequence[Release],
    ) -> None:
        """Make the part; nothing is held before `start`.

        Args:
            holds: shared with those who ask before they let a job run.
            jobs: gives all jobs.
            stored: reads what the database holds; called in a thread.
            releases: make up for what passed while jobs were held.
        """
        self._releases = releases
        self._clock = clock
        self._holds = holds
        self._jobs = jobs
        self._dispatcher = dispatcher
        self._planner = planner
        self._journal = journal
        self._events = events
        self._stored = stored
        self._ends = Scheduler(clock=clock, on_due=self._is_over)
        self._by_name: dict[str, HoldKey] = {}
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take up what the database holds; what is over by now ends at once."""
        for hold in await asyncio.to_thread(self._stored):
            self._take_effect(hold)
            if hold.until is not None and hold.until <= self._clock.now():
                await self._end(hold)
        self._ends.start()

    async def stop(self) -> None:
        """End no more holds; those that are left wait in the database for the next start."""
        self._ends.stop()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def put(self, hold: Hold, entry: AuditEntry) -> None:
        """Hold what a hold says; returns once it is committed and in effect.

        Raises:
            StoreUnavailable: the database takes no writes now.
        """
        self._journal.check_available()
        async with self._changing:
            await self._journal.transact(partial(keep_hold, hold=hold, entry=entry))
            self._take_effect(hold)
        self._tell(hold, held=True)

    async def lift(self, hold: Hold, entry: AuditEntry | None) -> None:
        """End a hold; returns once that is committed and in effect.

        Args:
            entry: the operator's action, None if the hold's time is over.

        Raises:
            StoreUnavailable: the database takes no writes now.
        """
        self._journal.check_available()
        async with self._changing:
            if self._holds.get(*hold.key) != hold:
                return
            await self._journal.transact(partial(drop_hold, key=hold.key, entry=entry))
            concerned = self._concerned(hold)
            making_up = [release(concerned) for release in self._releases]
            self._let_go(hold)
        for work in making_up:
            self._spawn(work)
        self._tell(hold, held=False)

    def _take_effect(self, hold: Hold) -> None:
        self._holds.put(hold)
        self._by_name[_name(hold.key)] = hold.key
        self._ends.arm(_name(hold.key), hold.until)
        if hold.kind is HoldKind.PAUSED:
            self._dispatcher.close(_label(hold))
        else:
            self._dispatcher.skip_waiting(lambda job: hold.concerns(job.name, job.settings), hold.words())

    def _let_go(self, hold: Hold) -> None:
        self._holds.take(hold.key)
        self._ends.arm(_name(hold.key), None)
        del self._by_name[_name(hold.key)]
        if hold.kind is HoldKind.PAUSED:
            self._dispatcher.open(_label(hold))
            self._planner.look_again()

    # Ends by themselves

    def _is_over(self, name: str, due: datetime) -> None:
        key = self._by_name.get(name)
        if key is not None and (hold := self._holds.get(*key)) is not None:
            self._spawn(self._end(hold))

    async def _end(self, hold: Hold) -> None:
        try:
            await self.lift(hold, None)
        except StoreError as error:
            logger.warning("a pause is over, but the database takes no writes; tried again soon: %s", error)
            self._ends.arm(_name(hold.key), self._clock.now() + AGAIN)

    # Telling

    def _tell(self, hold: Hold, *, held: bool) -> None:
        now = self._clock.now()
        self._events.publish(
            HoldChanged(now, hold.kind.value, hold.scope.value, hold.target, held, hold.words())
        )
        self._spawn(self._tell_jobs(hold))

    async def _tell_jobs(self, hold: Hold) -> None:
        """Tell of each job that it concerns; there may be many thousands."""
        for number, job in enumerate(self._concerned(hold), 1):
            self._dispatcher.tell_job(job)
            if number % TOLD_TOGETHER == 0:
                await asyncio.sleep(0)

    def _concerned(self, hold: Hold) -> list[Job]:
        return [job for job in self._jobs() if hold.concerns(job.name, job.settings)]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _name(key: HoldKey) -> str:
    return " ".join(key)


def _label(hold: Hold) -> str:
    """Return the gate's label of the runs that a pause concerns."""
    match hold.scope:
        case HoldScope.ENGINE:
            return EVERY
        case HoldScope.GROUP:
            return GROUP + hold.target
        case HoldScope.JOB:
            return job_label(hold.target)
