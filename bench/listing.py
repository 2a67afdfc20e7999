"""How long `moontide jobs` takes as a command: start Python, ask the engine, print."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from bench.figures import Effort, Figure, number
from bench.homes import MOONTIDE, home_with, many_jobs, served

FEW = 20
CALLS = 5


def measure(effort: Effort) -> list[Figure]:
    """Return seconds with few jobs and with many."""
    return [_listing(FEW, "< 0.3", effort), _listing(effort.files, "< 0.3", effort)]


def _listing(count: int, target: str, effort: Effort) -> Figure:
    with home_with(many_jobs(count)) as home, served(home):
        seconds = [_call(home) for _ in range(effort.rounds * CALLS)]
    return Figure(f"moontide jobs with {number(count)} jobs", "s", seconds, target)


def _call(home: Path) -> float:
    began = time.perf_counter()
    subprocess.run([MOONTIDE, "--home", str(home), "jobs"], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
