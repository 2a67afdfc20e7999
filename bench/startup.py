"""Start-up with a large folder: from starting the `moontide serve` process until it is Running.

The first start makes the database; the second finds what it remembers. Every file is declared in the
sandbox at each of them.
"""

from __future__ import annotations

from bench.figures import Effort, Figure, number
from bench.homes import home_with, many_jobs, served
from bench.processes import pss_mb


def measure(effort: Effort) -> list[Figure]:
    """Return seconds of both starts, and the engine's size with so many jobs."""
    count = number(effort.files)
    first, again, sizes = [], [], []
    for _ in range(effort.rounds):
        with home_with(many_jobs(effort.files)) as home:
            with served(home) as engine:
                first.append(engine.start_seconds)
                sizes.append(pss_mb(engine.pid))
            with served(home) as engine:
                again.append(engine.start_seconds)
    return [
        Figure(f"first start with {count} files", "s", first, "< 10"),
        Figure(f"later start with {count} files", "s", again, "< 10"),
        Figure(f"engine with {count} jobs", "MB PSS", sizes, "< 120"),
    ]
