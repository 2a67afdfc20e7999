"""The journal alone: durable commits per second, one after another and in groups."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count

from bench.figures import Effort, Figure
from bench.homes import home_with
from engine.states import RunStatus, Trigger
from engine.store.database import open_database
from engine.store.dialects import sqlite_url
from engine.store.journal import Journal
from engine.store.rows import RunEnd, RunRow
from engine.store.schema import migrate
from engine.times.clock import SystemClock

TOGETHER = 64


def measure(effort: Effort) -> list[Figure]:
    """Return commits per second of one writer, and changes per second of many."""
    return asyncio.run(_measure(effort))


async def _measure(effort: Effort) -> list[Figure]:
    ids = count(1)
    async with _journal() as journal:
        alone = [await _rate(journal, ids, 1, effort.seconds) for _ in range(effort.rounds)]
        together = [await _rate(journal, ids, TOGETHER, effort.seconds) for _ in range(effort.rounds)]
    return [
        Figure("journal, one change after another", "commits/s", alone),
        Figure(f"journal, {TOGETHER} writers at once", "changes/s", together),
    ]


@asynccontextmanager
async def _journal() -> AsyncIterator[Journal]:
    with home_with({}) as home:
        database = open_database(sqlite_url(home / "moontide.db"))
        migrate(database.writer)
        journal = Journal(
            database.writer, clock=SystemClock(), on_stalled=lambda *_: None, on_recovered=lambda _: None
        )
        journal.start()
        try:
            yield journal
        finally:
            await journal.stop()
            database.close()


async def _rate(journal: Journal, ids: Iterator[int], writers: int, seconds: float) -> float:
    began = time.perf_counter()
    done = await asyncio.gather(*(_write(journal, ids, began + seconds) for _ in range(writers)))
    return sum(done) / (time.perf_counter() - began)


async def _write(journal: Journal, ids: Iterator[int], until: float) -> int:
    """Write starts and ends of runs until the time is over, and return how many changes that were."""
    changes = 0
    while time.perf_counter() < until:
        now, run_id = datetime.now(UTC), next(ids)
        await journal.run_created(
            RunRow(run_id, "job", Trigger.MANUAL, now, now, 1, status=RunStatus.RUNNING, started=now)
        )
        await journal.run_finished(run_id, RunEnd(RunStatus.COMPLETE, now))
        changes += 2
    return changes
