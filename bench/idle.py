"""Processor time of an engine that has nothing to do: jobs loaded, the folder watched, no run due."""

from __future__ import annotations

import time

from bench.figures import Effort, Figure
from bench.homes import home_with, many_jobs, served
from bench.processes import cpu_seconds, family_of

JOBS = 100
SETTLE_SECONDS = 2.0


def measure(effort: Effort) -> list[Figure]:
    """Return the share of one core that engine, zygote and workers use together."""
    with home_with(many_jobs(JOBS), "watch = true") as home, served(home) as engine:
        time.sleep(SETTLE_SECONDS)
        shares = [_share(engine.pid, effort.idle_seconds) for _ in range(effort.rounds)]
    return [Figure(f"idle engine, {JOBS} jobs, folder watched", "% of a core", shares, "< 0.5")]


def _share(engine: int, seconds: float) -> float:
    before, began = _used(engine), time.monotonic()
    time.sleep(seconds)
    return 100 * (_used(engine) - before) / (time.monotonic() - began)


def _used(engine: int) -> float:
    return sum(map(cpu_seconds, family_of(engine).all))
