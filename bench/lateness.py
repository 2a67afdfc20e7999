"""How late runs start: 100 jobs, each every second, under `moontide serve`.

Lateness is the `started` column less the `due` column, as the database has them. Three times: with due
times spread over the second, as they are when job files come one by one; so again beside a large folder of
jobs that are not due; and with all of them due at the same instant, where the last of 100 waits for nine
rounds of a pool of ten.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Effort, Figure, number, spread_figures
from bench.homes import home_with, job_text, many_jobs, served, write_job

JOBS = {f"job{number:03}": job_text(settings='every = "1s"') for number in range(100)}
SPREAD_TARGETS = {"p99": "< 20"}
_STARTED = """
    SELECT due, started FROM run
    WHERE trigger = 'schedule' AND started IS NOT NULL AND due >= ?
"""


def measure(effort: Effort) -> list[Figure]:
    """Return p50, p99 and maximum of all three, in milliseconds."""
    spread = [_spread({}, effort) for _ in range(effort.rounds)]
    beside = [_spread(many_jobs(effort.files), effort) for _ in range(effort.rounds)]
    together = [_together(effort) for _ in range(effort.rounds)]
    return [
        *spread_figures("lateness of 100 jobs a second, spread", spread, targets=SPREAD_TARGETS),
        *spread_figures(f"the same beside {number(effort.files)} idle jobs", beside, targets=SPREAD_TARGETS),
        *spread_figures("lateness of 100 jobs at one instant", together),
    ]


def _spread(others: Mapping[str, str], effort: Effort) -> list[float]:
    with home_with(others) as home, served(home) as engine:
        for name, text in JOBS.items():
            write_job(home, name, text)
            engine.client.reload(name)
        return watch(home, effort)


def _together(effort: Effort) -> list[float]:
    with home_with(JOBS) as home, served(home):
        return watch(home, effort)


def watch(home: Path, effort: Effort, jobs: int = len(JOBS)) -> list[float]:
    """Let the jobs run, and return how late their runs were, from one second after now on."""
    time.sleep(1)
    since = datetime.now(UTC)
    time.sleep(effort.lateness_seconds)
    with closing(sqlite3.connect(home / "moontide.db")) as connection:
        late = [_late_ms(*row) for row in connection.execute(_STARTED, [f"{since:%Y-%m-%d %H:%M:%S.%f}"])]
    expected = (effort.lateness_seconds - 1) * jobs
    if len(late) < expected:
        raise RuntimeError(f"only {len(late)} runs started, of more than {expected:.0f}")
    return late


def _late_ms(due: str, started: str) -> float:
    return (datetime.fromisoformat(started) - datetime.fromisoformat(due)).total_seconds() * 1000
