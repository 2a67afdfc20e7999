"""The sandbox alone: programs run in the worker pool, with no schedule and no database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bench.figures import Effort, Figure
from bench.homes import job_text
from engine.extensions.plugins import load_plugins
from engine.jobsources import Library
from engine.parts import make_pool
from engine.run import Limits
from engine.sandbox.pool import WorkerPool
from engine.sandbox.program import EndKind, Program
from engine.settings import Settings

AT_ONCE = 10
SOURCE = job_text(settings='every = "1h"').encode()
PROGRAM = Program("job.lua", SOURCE, {"id": 1, "data": {}}, "UTC", Limits())

Work = Callable[[WorkerPool], Awaitable[None]]


def measure(effort: Effort) -> list[Figure]:
    """Return runs per second and declared files per second."""
    return asyncio.run(_measure(effort))


async def _measure(effort: Effort) -> list[Figure]:
    async with _pool() as pool:
        return [
            Figure(f"sandbox alone, {AT_ONCE} runs at once", "runs/s", await _rates(pool, _run, effort)),
            Figure(
                f"sandbox alone, {AT_ONCE} declares at once", "files/s", await _rates(pool, _declare, effort)
            ),
        ]


@asynccontextmanager
async def _pool() -> AsyncIterator[WorkerPool]:
    pool = make_pool(Settings(), load_plugins())
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


async def _rates(pool: WorkerPool, work: Work, effort: Effort) -> list[float]:
    await _rate(pool, work, 1.0)
    return [await _rate(pool, work, effort.seconds) for _ in range(effort.rounds)]


async def _rate(pool: WorkerPool, work: Work, seconds: float) -> float:
    began = time.perf_counter()
    done = await asyncio.gather(*(_repeat(pool, work, began + seconds) for _ in range(AT_ONCE)))
    return sum(done) / (time.perf_counter() - began)


async def _repeat(pool: WorkerPool, work: Work, until: float) -> int:
    done = 0
    while time.perf_counter() < until:
        await work(pool)
        done += 1
    return done


async def _run(pool: WorkerPool) -> None:
    ending = await pool.run(PROGRAM, Library(Path(), 1))
    if ending.kind is not EndKind.RETURNED:
        raise RuntimeError(ending.error)


async def _declare(pool: WorkerPool) -> None:
    declaration = await pool.declare("job.lua", SOURCE, Library(Path(), 1))
    if declaration.settings is None:
        raise RuntimeError(declaration.error)
