"""What the database says, read with plain SQL: the only place that knows the tables and the driver."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `run`.

    Attributes:
        parent: the run before, of a retry.
        token: what whoever asked for it has put into its data.
        due: in UTC.
        superseded: how many ends came too late to count.
    """

    id: int
    job: str
    status: str
    trigger: str
    attempt: int
    parent: int | None
    due: datetime
    started: bool
    finished: bool
    token: str | None
    superseded: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """A row of `slot`: planned times that did not become runs of their own."""

    job: str
    first: datetime
    last: datetime
    count: int | None
    fate: str
    cause: str


@dataclass(frozen=True, slots=True)
class Job:
    """A row of `job`."""

    name: str
    status: str
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class Records:
    """All that the checker wants to know of a database.

    Attributes:
        damage: what the database's own check of itself found.
        planned: the ids of runs to come.
    """

    runs: tuple[Run, ...] = ()
    slots: tuple[Slot, ...] = ()
    jobs: tuple[Job, ...] = ()
    planned: tuple[int, ...] = ()
    damage: tuple[str, ...] = ()

    def busy(self, jobs: Iterable[str]) -> list[int]:
        """Return the runs of these jobs that are planned or have not ended."""
        wanted = set(jobs)
        unfinished = [one.id for one in self.runs if not one.finished and one.job in wanted]
        return [*unfinished, *self.planned]


_RUNS = (
    "SELECT id, job, status, trigger, attempt, rescheduled_from, due, started, finished, data, superseded "
    "FROM run"
)
_SLOTS = "SELECT job, first_due, last_due, count, fate, cause FROM slot"
_JOBS = "SELECT name, status, next_due FROM job WHERE present"
_PLANNED = "SELECT id FROM planned_run"


def read(database: Path) -> Records:
    """Return what a database of SQLite says at one moment.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        return Records(
            runs=tuple(_run(*row) for row in connection.execute(_RUNS)),
            slots=tuple(
                Slot(job, _time(first), _time(last), *rest)
                for job, first, last, *rest in connection.execute(_SLOTS)
            ),
            jobs=tuple(
                Job(name, status, _time(due) if due else None)
                for name, status, due in connection.execute(_JOBS)
            ),
            planned=tuple(row[0] for row in connection.execute(_PLANNED)),
            damage=tuple(words for (words,) in connection.execute("PRAGMA integrity_check") if words != "ok"),
        )


def _run(
    id: int,
    job: str,
    status: str,
    trigger: str,
    attempt: int,
    parent: int | None,
    due: str,
    started: str | None,
    finished: str | None,
    data: str | None,
    superseded: str | None,
) -> Run:
    return Run(
        id,
        job,
        status,
        trigger,
        attempt,
        parent,
        _time(due),
        started is not None,
        finished is not None,
        _token(data),
        len(json.loads(superseded)) if superseded else 0,
    )


def _token(data: str | None) -> str | None:
    found: Any = json.loads(data) if data else None
    return found.get("token") if isinstance(found, dict) else None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
