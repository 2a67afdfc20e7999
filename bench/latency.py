"""One run's latency on an idle engine: from submitting it to its committed outcome.

Between two runs the engine has time to rest, so that each finds a warm worker waiting.
"""

from __future__ import annotations

import asyncio
import time

from bench.figures import Effort, Figure, spread_figures
from bench.homes import engine_in, home_with, job_text
from engine.events import Event, RunFinished
from engine.service import Engine

REST_SECONDS = 0.02
TARGETS = {"p99": "< 5"}


def measure(effort: Effort) -> list[Figure]:
    """Return p50, p99 and maximum, in milliseconds."""
    return spread_figures("one run, submit to outcome", asyncio.run(_rounds(effort)), targets=TARGETS)


async def _rounds(effort: Effort) -> list[list[float]]:
    with home_with({"job": job_text()}) as home:
        async with engine_in(home) as engine:
            await _samples(engine, 10)
            return [await _samples(engine, effort.samples) for _ in range(effort.rounds)]


async def _samples(engine: Engine, count: int) -> list[float]:
    return [await _one_run(engine) for _ in range(count)]


async def _one_run(engine: Engine) -> float:
    await asyncio.sleep(REST_SECONDS)
    ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def heard(event: Event) -> None:
        if isinstance(event, RunFinished):
            ended.set_result(time.perf_counter())

    unsubscribe = engine.events.subscribe(heard)
    began = time.perf_counter()
    try:
        await engine.dispatcher.submit(engine.catalog.job("job"))
        return (await ended - began) * 1000
    finally:
        unsubscribe()
