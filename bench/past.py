"""A home with many runs of the past, written straight into its tables: an engine would take hours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.store.database import open_database
from engine.store.dialects import sqlite_url
from engine.store.schema import migrate
from engine.store.search import index_runs

#: Jobs that the runs are of, each as often as any other.
JOBS = [f"team{number % 10}/job{number:03}" for number in range(100)]

#: The runs lie so far apart, the last of them now.
APART = timedelta(seconds=10)

#: One in so many failed, has a word in its log that few have, and was started by hand.
FAILED, RARE, BY_HAND = 49, 19_999, 97

#: For every so many runs there is a slot, an action of an operator, an alert.
SLOTS, ACTIONS, ALERTS = 9, 19, 99

_AT_ONCE = 50_000
_RUN = (
    "INSERT INTO run (id, job, session, status, returned, trigger, due, queued, started, finished, error, "
    "result, duration_ms, log_lines, source_hash) "
    "VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, 120.5, 2, 'bench')"
)
_LINE = "INSERT INTO log_line (run_id, number, at, level, text) VALUES (?, ?, ?, 'info', ?)"
_SLOT = (
    "INSERT INTO slot (job, first_due, noted, last_due, count, fate, cause, reason) "
    "VALUES (?, ?, ?, ?, 1, ?, ?, ?)"
)
_AUDIT = "INSERT INTO audit (at, actor, origin, action, target) VALUES (?, ?, 'socket', 'run job', ?)"
_ALERT = (
    "INSERT INTO alert (id, job, kind, reason, since, last, told, ended, end_told) "
    "VALUES (?, ?, 'failing', 'no connection', ?, ?, ?, ?, ?)"
)


def fill(home: Path, count: int) -> None:
    """Put so many runs into a home's database, with their logs, words, slots, actions and alerts."""
    path = home / "moontide.db"
    database = open_database(sqlite_url(path))
    migrate(database.writer)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for first in range(1, count + 1, _AT_ONCE):
            _write(connection, range(first, min(first + _AT_ONCE, count + 1)), count)
    with database.writer.begin() as writing:
        for first in range(1, count + 1, _AT_ONCE // 10):
            index_runs(writing, range(first, min(first + _AT_ONCE // 10, count + 1)))
    database.close()


def _write(connection: sqlite3.Connection, ids: range, count: int) -> None:
    connection.execute("BEGIN")
    connection.executemany(_RUN, (_run(number, count) for number in ids))
    connection.executemany(_LINE, (line for number in ids for line in _lines(number, count)))
    connection.executemany(_SLOT, (_slot(number, count) for number in ids if number % SLOTS == 0))
    connection.executemany(_AUDIT, (_action(number, count) for number in ids if number % ACTIONS == 0))
    connection.executemany(_ALERT, (_alert(number, count) for number in ids if number % ALERTS == 0))
    connection.execute("COMMIT")


def moment(number: int, count: int) -> datetime:
    """Return when the run of this number was due."""
    return _NOW - (count - number) * APART


def _run(number: int, count: int) -> tuple[Any, ...]:
    due, failed = _text(moment(number, count)), number % FAILED == 0
    status, returned = ("ERROR", None) if failed else ("COMPLETE", "OK")
    trigger = "manual" if number % BY_HAND == 0 else "schedule"
    error = f"no connection to db{number % 7}.example.com" if failed else None
    result = None if failed else f'{{"rows": {number % 1000}}}'
    return (number, JOBS[number % len(JOBS)], status, returned, trigger, due, due, due, due, error, result)


def _lines(number: int, count: int) -> Iterator[tuple[Any, ...]]:
    at = _text(moment(number, count))
    yield number, 1, at, f"read {number % 1000} rows of shop {number % 50}"
    rare = " with a needle in it" if number % RARE == 0 else ""
    yield number, 2, at, f"order {number} sent{rare}"


def _slot(number: int, count: int) -> tuple[Any, ...]:
    due = _text(moment(number, count))
    return JOBS[number % len(JOBS) - 1], due, due, due, "skipped", "overlap", "a run of the job was not done"


def _action(number: int, count: int) -> tuple[Any, ...]:
    return _text(moment(number, count)), f"user{number % 30}@web1", JOBS[number % len(JOBS) - 2]


def _alert(number: int, count: int) -> tuple[Any, ...]:
    at = _text(moment(number, count))
    return number // ALERTS, JOBS[number // ALERTS % len(JOBS)], at, at, at, at, at


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


_NOW = datetime.now(UTC)
