"""A very large history on PostgreSQL, which is kept in parts by the month: lists, and removing a month.

The database holds 10,000,000 runs of twelve months (`--quick`: 600,000), each with a line of log, written by
the server itself; one in 500 has its words in the index. It is made on the server of `BENCH_PG_URL`, as in
`bench.remote`, needs 5 GB there, and is dropped in the end. The store is asked, without an engine.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from bench.figures import QUICK, Effort, Figure, number
from bench.remote import empty_database
from engine.run import Retention
from engine.runfilter import RunFilter
from engine.states import RunStatus, Trigger
from engine.store.database import Database, open_database
from engine.store.history import History
from engine.store.months import TABLES, begin_month, drop_table, month_of, parts_of, remove_month
from engine.store.pruning import Pruning
from engine.store.queries import Queries
from engine.store.schema import migrate

MONTHS = 12
RUNS, RUNS_QUICK = 10_000_000, 600_000
WANTED = "< 200"
#: Over which the runs of one month are spread.
SPREAD = timedelta(days=28)

#: One in so many failed, was started by hand, has its words in the index.
FAILED, BY_HAND, INDEXED = 49, 97, 500

_RUNS = """
INSERT INTO run (id, job, session, status, returned, trigger, due, queued, started, finished, error, result,
                 duration_ms, log_lines, source_hash)
SELECT g, 'team' || g %% 10 || '/job' || g %% 100, 1,
  CASE WHEN g %% {failed} = 0 THEN 'ERROR' ELSE 'COMPLETE' END,
  CASE WHEN g %% {failed} > 0 THEN 'OK' END, CASE WHEN g %% {by_hand} = 0 THEN 'manual' ELSE 'schedule' END,
  at, at, at, at, CASE WHEN g %% {failed} = 0 THEN 'no connection to db' || g %% 7 END,
  json_build_object('rows', g %% 1000), 120.5, 1, 'bench'
FROM (SELECT g, timestamptz '{begin}' + (g - {first}) * interval '{apart} seconds' AS at
      FROM generate_series({first}, {last}) AS g) AS one
"""
_LINES = """
INSERT INTO log_line (run_id, number, at, level, text)
SELECT id, 1, finished, 'info', 'read ' || id %% 1000 || ' rows of shop ' || id %% 50
FROM run WHERE id >= {first}
"""
_WORDS = """
INSERT INTO run_text SELECT run_id, 0, to_tsvector('simple', text) FROM log_line
WHERE run_id >= {first} AND run_id %% {indexed} = 0
"""
_JOBS = """
INSERT INTO job (name, first_seen, updated)
SELECT 'team' || g %% 10 || '/job' || g, now(), now() FROM generate_series(0, 99) AS g
"""

Question = Callable[[], object]


def measure(effort: Effort) -> list[Figure]:
    """Return milliseconds of each question, and of what is done to a month."""
    try:
        with empty_database() as url:
            database = open_database(url)
            try:
                return _measured(database, effort)
            finally:
                database.close()
    except OperationalError as error:
        print(f"months: no PostgreSQL server, no figures ({type(error).__name__})", file=sys.stderr)
        return []


def _measured(database: Database, effort: Effort) -> list[Figure]:
    count = RUNS_QUICK if effort is QUICK else RUNS
    now = datetime.now(UTC)
    begun = fill(database, count, now)
    asked = [
        Figure(f"{name} among {number(count)} runs on PostgreSQL", "ms", _rounds(ask, effort), WANTED)
        for name, ask in questions(database, count, now).items()
    ]
    removed = [_remove(database, now, number) for number in range(effort.rounds)]
    return [
        *asked,
        Figure("a month begun, writes wait for", "ms", begun),
        Figure("a whole month found to be over", "ms", [one[0] for one in removed]),
        Figure("a whole month removed, writes wait at a time for", "ms", [one[1] for one in removed], WANTED),
    ]


def fill(database: Database, count: int, now: datetime) -> list[float]:
    """Put so many runs into an empty database; return the milliseconds that it took to begin each month."""
    migrate(database.writer)
    with database.writer.begin() as connection:
        connection.exec_driver_sql(_JOBS)
        for table in TABLES:
            # The first part bears the name of the month in which the tables are made.
            last = parts_of(connection)[-1].name if table == "run" else month_of(datetime.now(UTC))
            connection.exec_driver_sql(
                f"ALTER TABLE {table}_{last} RENAME TO {table}_{month_of(first_day(now, 0))}"
            )
    begun = []
    for month in range(MONTHS):
        with database.writer.begin() as connection:
            _write(connection, count // MONTHS, month, first_day(now, month))
        _vacuum(database)
        if month < MONTHS - 1:
            begun.append(_begin(database, first_day(now, month + 1)))
    return begun


def first_day(now: datetime, number: int) -> datetime:
    """Return when one of the months begins, the first of which is 0 and the last one the present one."""
    months = 12 * now.year + now.month - MONTHS + number
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _write(connection: Connection, count: int, month: int, begin: datetime) -> None:
    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
    values = {
        "first": month * count + 1,
        "last": (month + 1) * count,
        "begin": begin.isoformat(),
        "apart": SPREAD.total_seconds() / count,
        "failed": FAILED,
        "by_hand": BY_HAND,
        "indexed": INDEXED,
    }
    for statement in (_RUNS, _LINES, _WORDS):
        connection.exec_driver_sql(statement.format(**values))


def _vacuum(database: Database) -> None:
    """Do what the server itself would do in time, so that it does not do it beside the measurement."""
    with database.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM ANALYZE {', '.join(TABLES)}")


def _begin(database: Database, now: datetime) -> float:
    return _step(database, lambda connection: begin_month(connection, now))


def questions(database: Database, count: int, now: datetime) -> dict[str, Question]:
    """Return what is asked, by what it is."""
    history, queries = History(database.reader), Queries(database.reader)
    middle = first_day(now, MONTHS // 2) + SPREAD / 2
    job = "team3/job13"

    def found(wanted: RunFilter, before: int | None = None) -> Question:
        return partial(history.find, wanted, before_id=before)

    return {
        "the newest 50": found(RunFilter()),
        "a page in the middle": found(RunFilter(), count // 2),
        "of one job": found(RunFilter(job=job)),
        "of jobs by a pattern": found(RunFilter(job="team3/*")),
        "failed ones": found(RunFilter(statuses=(RunStatus.ERROR,))),
        "crashed ones, of which there are none": found(RunFilter(statuses=(RunStatus.CRASHED,))),
        "failed ones of one job": found(RunFilter(job=job, statuses=(RunStatus.ERROR,))),
        "by hand": found(RunFilter(triggers=(Trigger.MANUAL,))),
        "of an hour": found(RunFilter(since=middle, until=middle + timedelta(hours=1))),
        "one run": partial(queries.run, count // 3),
        "counted, of a day": partial(
            history.counts, RunFilter(since=middle, until=middle + timedelta(days=1))
        ),
    }


def _rounds(ask: Question, effort: Effort) -> list[float]:
    """Return the middle time of each round, in milliseconds."""
    return [statistics.median(_milliseconds(ask) for _ in range(5)) for _ in range(effort.rounds)]


def _milliseconds(ask: Question) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def _remove(database: Database, now: datetime, number: int) -> tuple[float, float]:
    """Remove the oldest month, as `fill` made it; return the milliseconds to find and to remove it."""
    age = (now - first_day(now, number + 1)).total_seconds()
    began = time.perf_counter()
    month = Pruning(database.reader).month(Retention(age_seconds=age, failed_age_seconds=age), now)
    found = time.perf_counter()
    if month is None or month.part.name != month_of(first_day(now, number)):
        raise RuntimeError(f"another month was found to be over than the oldest: {month}")
    steps = [_step(database, partial(remove_month, month=month, found=now))]
    left = Pruning(database.reader).tables_left()
    steps += [_step(database, partial(_drop, name=name)) for name in left]
    return (found - began) * 1000, max(steps)


def _drop(connection: Connection, name: str) -> bool:
    drop_table(connection, name)
    return True


def _step(database: Database, work: Callable[[Connection], bool]) -> float:
    """Do one thing in a transaction of its own; return the milliseconds that it took."""
    began = time.perf_counter()
    with database.writer.begin() as connection:
        if not work(connection):
            raise RuntimeError("it was not done: somebody else reads the tables")
    return (time.perf_counter() - began) * 1000
