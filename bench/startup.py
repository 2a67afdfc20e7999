"""Start-up with few and with many files: from starting the `moontide serve` process until it is Running.

A first start makes the database and declares every file in the sandbox; a later one finds what it remembers,
and declares none.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.figures import Effort, Figure, number
from bench.homes import Served, home_with, many_jobs, served
from bench.processes import pss_mb

FEW = 100
#: How many times as many files as elsewhere are the most: measured in one round, with 0.5 GB of disk.
MANY_TIMES = 10
#: Seconds that a start may take, by the number of files.
TARGETS = {100: "< 1", 10_000: "< 5", 100_000: "< 20"}


def measure(effort: Effort) -> list[Figure]:
    """Return seconds of both starts and the engine's size after each, for each number of files."""
    rounds = {FEW: effort.rounds, effort.files: effort.rounds, MANY_TIMES * effort.files: 1}
    return [figure for count in rounds for figure in _starts(count, rounds[count])]


def _starts(count: int, rounds: int) -> Iterator[Figure]:
    first, again, sizes = [], [], []
    for _ in range(rounds):
        with home_with(many_jobs(count)) as home:
            with served(home) as engine:
                first.append(engine.start_seconds)
                _check(engine, count, declared=count)
            with served(home) as engine:
                again.append(engine.start_seconds)
                sizes.append(pss_mb(engine.pid))
                _check(engine, count, declared=0)
    target = TARGETS.get(count, "")
    yield Figure(f"first start with {number(count)} files", "s", first, target)
    yield Figure(f"later start with {number(count)} files", "s", again, target)
    yield Figure(f"engine with {number(count)} jobs", "MB PSS", sizes, "< 120" if count == 10_000 else "")


def _check(engine: Served, count: int, *, declared: int) -> None:
    """Refuse figures of an engine that did something else than it should."""
    jobs = engine.client.status().jobs_by_status
    if sum(jobs.values()) < count or engine.declared_files() != declared:
        raise RuntimeError(f"{engine.declared_files()} of {count} files were declared, and jobs are {jobs}")
