"""Memory of an engine's processes as proportional set size, after its workers have run jobs."""

from __future__ import annotations

import statistics
import time

from bench.figures import Effort, Figure
from bench.homes import Served, home_with, job_text, served
from bench.processes import family_of, pss_mb

JOBS = {
    f"job{number:02}": job_text('core.log("at work") core.sleep(0.3) return job.OK') for number in range(10)
}
RUNS_EACH = 5


def measure(effort: Effort) -> list[Figure]:
    """Return MB of the engine, of the zygote and of a worker, while ten runs go on."""
    rounds = [_sizes() for _ in range(effort.rounds)]
    engine, zygote, worker, whole = zip(*rounds, strict=True)
    return [
        Figure("engine", "MB PSS", engine, "< 120"),
        Figure("zygote", "MB PSS", zygote),
        Figure("one worker, the largest of them", "MB PSS", worker, "< 25"),
        Figure("all processes, ten runs at once", "MB PSS", whole),
    ]


def _sizes() -> tuple[float, float, float, float]:
    with home_with(JOBS) as home, served(home) as engine:
        for _ in range(RUNS_EACH):
            for name in JOBS:
                engine.client.run_job(name)
        _wait_for_workers(engine)
        family = family_of(engine.pid)
        sizes = {pid: pss_mb(pid) for pid in family.all}
        workers = [sizes[pid] for pid in family.workers]
        return (
            sizes[engine.pid],
            statistics.mean(map(pss_mb, family.zygotes)),
            max(workers),
            sum(sizes.values()),
        )


def _wait_for_workers(engine: Served) -> None:
    deadline = time.monotonic() + 10
    while engine.client.status().running < len(JOBS):
        if time.monotonic() > deadline:
            raise RuntimeError("the runs did not start")
        time.sleep(0.05)
