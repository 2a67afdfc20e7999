"""How long `moontide status` and `moontide jobs` take as commands: start Python, ask the engine, print."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from bench.figures import Effort, Figure, number
from bench.homes import MOONTIDE, home_with, many_jobs, served

FEW = 20
CALLS = 5
TARGETS = {"status": "< 0.2", "jobs": "< 0.3"}


def measure(effort: Effort) -> list[Figure]:
    """Return seconds of both commands, with few jobs and with many."""
    return [figure for count in (FEW, effort.files) for figure in _commands(count, effort)]


def _commands(count: int, effort: Effort) -> list[Figure]:
    with home_with(many_jobs(count)) as home, served(home):
        return [
            Figure(
                f"moontide {command} with {number(count)} jobs",
                "s",
                [_call(home, command) for _ in range(effort.rounds * CALLS)],
                target,
            )
            for command, target in TARGETS.items()
        ]


def _call(home: Path, command: str) -> float:
    began = time.perf_counter()
    subprocess.run([MOONTIDE, "--home", str(home), command], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
