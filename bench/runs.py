"""Runs per second, from submitted to committed outcome, with ten at once.

Each run has its start and its end committed to disk, as always. The jobs run in real workers; the engine
lives in this process, and a driver beside it submits the next run of a job when the last one's end is
committed.
"""

from __future__ import annotations

import asyncio

from bench.driver import Driver
from bench.figures import Effort, Figure
from bench.homes import engine_in, home_with, job_text, own_jobs

AT_ONCE = 10
WARM_UP_SECONDS = 1.0

BODIES = {
    "trivial runs": "return job.OK",
    "runs with one core call": "core.sleep(0) return job.OK",
    "runs with one log line": 'core.log("done") return job.OK',
    "runs with one saved document": 'core.data("bench"):save({ _id = run.job, at = run.id }) return job.OK',
}
TARGETS = {"trivial runs": ">= 2,000"}


def measure(effort: Effort) -> list[Figure]:
    """Return runs per second for each kind of run."""
    return [
        Figure(name, "runs/s", asyncio.run(_rates(body, effort)), TARGETS.get(name, ""))
        for name, body in BODIES.items()
    ]


async def _rates(body: str, effort: Effort) -> list[float]:
    jobs = {f"job{number}": job_text(body) for number in range(AT_ONCE)}
    with home_with(jobs, f"pool.size = {AT_ONCE}") as home:
        async with engine_in(home) as engine:
            driver = Driver(engine, own_jobs(engine))
            driver.start()
            await asyncio.sleep(WARM_UP_SECONDS)
            rates = [await driver.rate(effort.seconds) for _ in range(effort.rounds)]
            await driver.stop()
    if driver.failed:
        raise RuntimeError(f"{driver.failed} of {driver.committed} runs failed: {body}")
    return rates
