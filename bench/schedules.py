"""Runs per second through real schedules: as many jobs, each every second, as would make 2,000 runs.

All are due at the same instant, so nearly all of them wait for a permit and are committed three times:
queued, started, ended. What the engine cannot do in a second is coalesced into the next one.
"""

from __future__ import annotations

import asyncio

from bench.figures import Effort, Figure
from bench.homes import engine_in, home_with, job_text

JOBS = 2000
WARM_UP_SECONDS = 2.0


def measure(effort: Effort) -> list[Figure]:
    """Return runs whose outcome was committed, per second."""
    return [Figure("runs by 2,000 schedules a second", "runs/s", asyncio.run(_rates(effort)))]


async def _rates(effort: Effort) -> list[float]:
    jobs = {f"job{number:04}": job_text(settings='every = "1s"') for number in range(JOBS)}
    with home_with(jobs) as home:
        async with engine_in(home) as engine:
            rates = []
            await asyncio.sleep(WARM_UP_SECONDS)
            for _ in range(effort.rounds):
                before = engine.dispatcher.finished
                await asyncio.sleep(effort.seconds)
                rates.append((engine.dispatcher.finished - before) / effort.seconds)
            return rates
