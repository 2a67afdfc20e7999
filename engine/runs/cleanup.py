"""The engine's own job `moontide/cleanup`: removes runs, and what else is over, that are kept no longer.

It works in transactions of the journal that take milliseconds, between those of the runs, and rests after
each as long as that took: half of the journal's time is always theirs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from engine.jobs.jobfile import JobSettings
from engine.run import Outcome, Retention
from engine.runs.job import BuiltIn, Log
from engine.runs.pace import Pace
from engine.runs.sources import KnownSources
from engine.states import Returned, RunStatus
from engine.store.aging import KINDS, Aged, Aging, remove_aged
from engine.store.journal import Journal
from engine.store.months import begin_month, drop_table, remove_month
from engine.store.pruning import Pruning, remove_runs, remove_sources
from engine.times.clock import Clock

NAME = "moontide/cleanup"

T = TypeVar("T")

#: One transaction removes at most so many runs, and stops at so many lines of log for each of them.
BATCH_RUNS = 100
LINES_PER_RUN = 20

#: How long the job's own runs are kept.
OWN_SECONDS = 86_400.0

BEGUN = "a part of the history for this month"


class Cleanup:
    """Removes what is kept no longer."""

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        pruning: Pruning,
        aging: Aging,
        known_sources: Callable[[], KnownSources],
        kept: Retention,
        kept_seconds: Mapping[str, float],
    ) -> None:
        """Make a clean-up.

        Args:
            known_sources: gives the sources that the engine takes for written.
            kept: which runs are kept.
            kept_seconds: how long what else is over is kept, by the names of `engine.store.aging`; 0 for
                ever.
        """
        self._clock = clock
        self._journal = journal
        self._pruning = pruning
        self._known_sources = known_sources
        self._kept = kept
        self._aging = aging
        self._kept_seconds = kept_seconds
        self._pace = Pace(BATCH_RUNS)

    def as_job(self, every_seconds: float) -> BuiltIn:
        """Return the job that does it again and again."""
        settings = JobSettings(
            every=every_seconds,
            description="Removes runs that are kept no longer, with their logs, and other old records",
            overlap="skip",
            on_error="continue",
            remove_after=OWN_SECONDS,
        )
        return BuiltIn(NAME, settings, self.work)

    async def work(self, log: Log, cancel: asyncio.Future[str]) -> Outcome:
        """Remove all that can go, unless it is cancelled on the way."""
        began = self._clock.monotonic()
        await self._begin_month(log)
        runs = await self._remove_months(log, cancel) + await self._remove_runs(cancel)
        sources = 0 if cancel.done() else await self._remove_sources()
        log("info", f"removed {runs} runs with their logs, and {sources} sources that no run needs")
        aged = {kind.name: await self._remove_aged(kind, cancel) for kind in KINDS}
        log("info", f"removed of other records: {', '.join(f'{name} {aged[name]}' for name in aged)}")
        seconds = self._clock.monotonic() - began
        result = {"runs": runs, "sources": sources, **aged}
        if cancel.done():
            return Outcome(
                RunStatus.CANCELLED, result=result, error=cancel.result(), duration_seconds=seconds
            )
        return Outcome(RunStatus.COMPLETE, Returned.OK, result=result, duration_seconds=seconds)

    async def _begin_month(self, log: Log) -> None:
        """Begin a part of the history for this month, where it is kept in parts."""
        now = self._clock.now()
        if await asyncio.to_thread(self._pruning.wants_new_month, now):
            begun = await self._journal.transact(partial(begin_month, now=now))
            log("info", BEGUN if begun else f"{BEGUN}: not now, as the tables are read")

    async def _remove_months(self, log: Log, cancel: asyncio.Future[str]) -> int:
        """Remove whole parts of the history, all of whose runs are kept no longer."""
        removed = 0
        now = self._clock.now()
        while not cancel.done() and (month := await asyncio.to_thread(self._pruning.month, self._kept, now)):
            if not await self._journal.transact(partial(remove_month, month=month, found=now)):
                log(
                    "info",
                    f"the history's part {month.part.name} can go, but not now, as the tables are read",
                )
                break
            log("info", f"removed the history's part {month.part.name} with {month.runs} runs at once")
            removed += month.runs
        # Also those that an engine left that was ended between the two.
        for name in await asyncio.to_thread(self._pruning.tables_left):
            await self._journal.transact(partial(drop_table, name=name))
        return removed

    async def _remove_runs(self, cancel: asyncio.Future[str]) -> int:
        removed = 0
        while found := await asyncio.to_thread(self._pruning.runs, self._kept, self._clock.now()):
            for batch in batches(found, self._pace):
                if cancel.done():
                    return removed
                removed += await self._between_runs(partial(remove_runs, run_ids=batch))
        return removed

    async def _remove_aged(self, kind: Aged, cancel: asyncio.Future[str]) -> int:
        removed = 0
        if not self._kept_seconds[kind.name]:
            return removed
        oldest = self._clock.now() - timedelta(seconds=self._kept_seconds[kind.name])
        while found := await asyncio.to_thread(self._aging.find, kind, oldest):
            before = removed
            for batch in _slices(found, self._pace):
                if cancel.done():
                    return removed
                work = partial(remove_aged, kind=kind, keys=batch, oldest=oldest)
                removed += await self._between_runs(work)
            if removed == before:
                # What was found has changed since; the next run of the job looks again.
                break
        return removed

    async def _remove_sources(self) -> int:
        known = self._known_sources()
        known.forget()
        # What runs handed over before is committed first; what they hand over from now on is known again.
        await self._journal.transact(lambda connection: None)
        unused = await asyncio.to_thread(self._pruning.unused_sources)
        removed = 0
        for batch in _slices(sorted(unused), self._pace):
            gone = [source for source in batch if source not in known]
            removed += await self._between_runs(partial(remove_sources, hashes=gone))
        return removed

    async def _between_runs(self, work: Callable[[Connection], int]) -> int:
        """Do a part of the work in one transaction, and leave the journal to runs for as long as it took."""
        began = self._clock.monotonic()
        removed, seconds = await self._journal.transact(partial(_timed, work))
        self._pace.took(seconds)
        await asyncio.sleep(self._clock.monotonic() - began)
        return removed


def _timed(work: Callable[[Connection], int], connection: Connection) -> tuple[int, float]:
    """Return what some work returns, with the processor time that it takes."""
    began = time.thread_time()
    return work(connection), time.thread_time() - began


def batches(found: Sequence[tuple[int, int]], pace: Pace) -> Iterator[list[int]]:
    """Yield the ids of runs, given with their numbers of lines, in parts for one transaction each."""
    batch: list[int] = []
    lines = 0
    for run_id, run_lines in found:
        if batch and (len(batch) >= pace.size or lines + run_lines > LINES_PER_RUN * pace.size):
            yield batch
            batch, lines = [], 0
        batch.append(run_id)
        lines += run_lines
    if batch:
        yield batch


def _slices(rows: Sequence[T], pace: Pace) -> Iterator[Sequence[T]]:
    start = 0
    while start < len(rows):
        size = pace.size
        yield rows[start : start + size]
        start += size
