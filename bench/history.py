"""Questions about very many runs, and removing them while others go on.

The home holds a hundred runs for each job file of a large folder: 1,000,000, or 100,000 with `--quick`. What
is asked goes through the API of `moontide serve`, as the dashboard and the command line ask it. Lateness is
taken as in `bench.lateness`, from 20 jobs a second, first at rest and then while the clean-up removes all
runs that are older than an hour.
"""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bench.figures import Effort, Figure, number, spread_figures
from bench.homes import home_with, served
from bench.lateness import JOBS, watch
from bench.past import JOBS as PAST_JOBS
from bench.past import fill, moment
from engine.api.client import Client
from engine.runfilter import RunFilter
from engine.runs.cleanup import NAME as CLEANUP
from engine.states import RunStatus, Trigger
from engine.views import RunView

RUNS_PER_FILE = 100

#: Jobs that are due each second beside the purge.
DUE = 20
WANTED = "< 100"
PURGING = '[retention]\nage = "1h"\nfailed_age = "1h"\n'

Question = Callable[[Client], object]


def measure(effort: Effort) -> list[Figure]:
    """Return milliseconds of each question, and lateness without and with a purge."""
    count = effort.files * RUNS_PER_FILE
    with home_with({}) as home:
        fill(home, count)
        with served(home) as engine:
            figures = [
                Figure(
                    f"{name} among {number(count)} runs", "ms", _rounds(ask, engine.client, effort), WANTED
                )
                for name, ask in questions(count).items()
            ]
        return figures + _beside_runs(home, count, effort)


def questions(count: int) -> dict[str, Question]:
    """Return what is asked, by what it is."""
    middle = moment(count // 2, count)
    job = PAST_JOBS[13]
    return {
        "the newest 50": lambda client: _found(client, RunFilter()),
        "a page in the middle": lambda client: _found(client, RunFilter(), before=count // 2),
        "of one job": lambda client: _found(client, RunFilter(job=job)),
        "failed ones": lambda client: _found(client, RunFilter(statuses=(RunStatus.ERROR,))),
        "by hand": lambda client: _found(client, RunFilter(triggers=(Trigger.MANUAL,))),
        "of an hour": lambda client: _found(
            client, RunFilter(since=middle, until=middle + timedelta(hours=1))
        ),
        "with a rare word": lambda client: _found(client, RunFilter(text="needle")),
        "with a word of all": lambda client: _found(client, RunFilter(text="order")),
        "with that, of one job": lambda client: _found(client, RunFilter(text="order", job=job)),
        "with words side by side": lambda client: _found(client, RunFilter(text='"rows of shop"')),
        "counted, of a day": lambda client: client.history.counts(
            RunFilter(since=moment(count, count) - timedelta(days=1))
        ),
    }


def _found(client: Client, wanted: RunFilter, *, before: int | None = None) -> list[RunView]:
    found = client.history.find(wanted, before=before)
    if not found:
        raise RuntimeError(f"nothing was found of {wanted}")
    return found


def _rounds(ask: Question, client: Client, effort: Effort) -> list[float]:
    """Return the middle time of each round, in milliseconds."""
    return [
        statistics.median(_milliseconds(ask, client) for _ in range(effort.samples // 10))
        for _ in range(effort.rounds)
    ]


def _milliseconds(ask: Question, client: Client) -> float:
    began = time.perf_counter()
    ask(client)
    return (time.perf_counter() - began) * 1000


def _beside_runs(home: Path, count: int, effort: Effort) -> list[Figure]:
    """Return how late runs start without and with a purge beside them, and how fast that removes."""
    for name, text in list(JOBS.items())[:DUE]:
        (home / "jobs" / f"{name}.lua").write_text(text, "utf-8")
    with served(home):
        resting = [watch(home, effort, DUE) for _ in range(effort.rounds)]
    (home / "moontide.toml").write_text(PURGING, "utf-8")
    with served(home) as engine:
        engine.client.run_job(CLEANUP)
        purging, removed = [], []
        for _ in range(effort.rounds):
            before, began = _past_runs(home, count), time.perf_counter()
            purging.append(watch(home, effort, DUE))
            removed.append((before - _past_runs(home, count)) / (time.perf_counter() - began))
    if min(removed) == 0:
        raise RuntimeError("the clean-up was done before the measurement was: it needs more runs")
    return [
        *spread_figures(f"lateness of {DUE} jobs at one instant, large history", resting),
        *spread_figures("the same while old runs are removed", purging),
        Figure("old runs removed meanwhile", "runs/s", removed),
    ]


def _past_runs(home: Path, count: int) -> int:
    """Return how many runs of the past are left."""
    with closing(sqlite3.connect(home / "moontide.db")) as connection:
        found = connection.execute("SELECT count(*) FROM run WHERE id <= ?", [count]).fetchone()
    return int(found[0])
