from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy import event

from engine.runfilter import RunFilter
from engine.states import FINAL, RunStatus, Trigger
from engine.store.database import Database
from engine.store.history import History
from engine.store.rows import Changes, JobPatch, PlannedRun, RunRow
from engine.store.search import index_runs
from engine.store.writes import write
from engine.views import RunView
from tests.engine.store.conftest import NOON, a_run, an_end
from tests.engine.store.servers import KINDS, emptied, migrated

JOBS = ("report", "report2", "admin/cleanup", "admin/mail", "a_b", "axb")
STATUSES = (*sorted(FINAL), RunStatus.QUEUED, RunStatus.RUNNING)


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of each kind for all tests here; each of them empties it first."""
    with migrated(request.param, tmp_path_factory.mktemp("store")) as database:
        yield database


@dataclass(frozen=True)
class Past:
    """One run as the plain list has it."""

    id: int
    job: str
    status: RunStatus
    trigger: Trigger
    minute: int
    user_id: int

    @property
    def row(self) -> RunRow:
        made = NOON + timedelta(minutes=self.minute)
        first = RunStatus.QUEUED if self.status is RunStatus.QUEUED else RunStatus.RUNNING
        row = a_run(self.id, self.job, first, user_id=self.user_id)
        return structs.replace(row, queued=made, trigger=self.trigger)


def put(database: Database, runs: list[Past]) -> None:
    """Write runs as the engine does."""
    changes = [Changes(runs=(run.row,), jobs=(JobPatch(run.job, {}),)) for run in runs]
    ended = [run for run in runs if run.status in FINAL]
    changes += [Changes(ends=((run.id, an_end(run.status, error="no moon")),)) for run in ended]
    with database.writer.begin() as connection:
        write(connection, changes, NOON)


def fits(run: Past, wanted: RunFilter) -> bool:
    """Say what a filter means, without a database."""
    made = NOON + timedelta(minutes=run.minute)
    return (
        (wanted.job is None or fnmatch.fnmatchcase(run.job, wanted.job))
        and (not wanted.statuses or run.status in wanted.statuses)
        and (not wanted.triggers or run.trigger in wanted.triggers)
        and (wanted.since is None or made >= wanted.since)
        and (wanted.until is None or made < wanted.until)
        and wanted.user_id in (None, run.user_id)
    )


pasts = st.builds(
    Past,
    id=st.just(0),
    job=st.sampled_from(JOBS),
    status=st.sampled_from(STATUSES),
    trigger=st.sampled_from(Trigger),
    minute=st.integers(0, 20),
    user_id=st.integers(0, 2),
)
moments = st.none() | st.integers(-1, 21).map(lambda minute: NOON + timedelta(minutes=minute))
filters = st.builds(
    RunFilter,
    job=st.none() | st.sampled_from([*JOBS, "*", "admin/*", "report*", "*m*", "a_*", "a?b", "nobody"]),
    statuses=st.lists(st.sampled_from(STATUSES), max_size=3).map(tuple),
    triggers=st.lists(st.sampled_from(Trigger), max_size=2).map(tuple),
    since=moments,
    until=moments,
    user_id=st.none() | st.integers(0, 2),
)


def numbered(runs: list[Past], first: int = 1) -> list[Past]:
    return [replace(run, id=number) for number, run in enumerate(runs, first)]


@settings(max_examples=60, deadline=None)
@given(
    old=st.lists(pasts, max_size=25), new=st.lists(pasts, max_size=8), wanted=filters, page=st.integers(1, 7)
)
def test_pages_have_neither_gaps_nor_doubles_while_new_runs_come_in(
    store: Database, old: list[Past], new: list[Past], wanted: RunFilter, page: int
) -> None:
    history = History(emptied(store).reader)
    put(store, numbered(old))
    coming = numbered(new, len(old) + 1)
    got: list[RunView] = []
    while views := history.find(wanted, before_id=got[-1].id if got else None, limit=page):
        got += views
        put(store, coming[:2])
        coming = coming[2:]
    expected = [run for run in reversed(numbered(old)) if fits(run, wanted)]
    assert [view.id for view in got] == [run.id for run in expected]


@settings(max_examples=40, deadline=None)
@given(runs=st.lists(pasts, max_size=25), wanted=filters)
def test_counts_are_those_of_the_list(store: Database, runs: list[Past], wanted: RunFilter) -> None:
    history = History(emptied(store).reader)
    put(store, numbered(runs))
    assert history.counts(wanted) == Counter(run.status.value for run in runs if fits(run, wanted))


#: Hours between one run made known and the next; for how long it is planned, None for a run by schedule.
made_known = st.lists(st.tuples(st.integers(0, 40), st.none() | st.integers(0, 200)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(made=made_known, until=st.integers(0, 600), text=st.booleans())
def test_runs_until_a_time_are_the_same_though_newer_ones_are_not_gone_through(
    store: Database, made: list[tuple[int, int | None]], until: int, text: bool
) -> None:
    history = History(emptied(store).reader)
    hour, runs = 0, []
    for number, (later, planned_for) in enumerate(made, 1):
        hour += later
        trigger = Trigger.SCHEDULE if planned_for is None else Trigger.CALL
        runs.append(Past(number, "report", RunStatus.ERROR, trigger, 60 * (hour + (planned_for or 0)), 0))
    put(store, runs)
    with store.writer.begin() as connection:
        index_runs(connection, [run.id for run in runs])
    wanted = RunFilter(until=NOON + timedelta(hours=until), text="moon" if text else None)
    found = [view.id for view in history.find(wanted)]
    assert found == [run.id for run in reversed(runs) if run.minute < 60 * until]


def test_only_runs_of_some_jobs_are_chosen(store: Database) -> None:
    history = History(emptied(store).reader)
    put(store, numbered([Past(0, job, RunStatus.COMPLETE, Trigger.SCHEDULE, 0, 0) for job in JOBS]))
    assert [run.job for run in history.find(RunFilter(), among=["report", "a_b"])] == ["a_b", "report"]
    assert history.find(RunFilter(), among=[]) == []


def test_planned_runs_are_among_the_others_where_they_are_asked_for(store: Database) -> None:
    history = History(emptied(store).reader)
    put(store, numbered([Past(0, "report", RunStatus.COMPLETE, Trigger.SCHEDULE, 0, 0)] * 3))
    planned = PlannedRun(2**40, "report", NOON + timedelta(days=1), NOON)
    with store.writer.begin() as connection:
        write(connection, [Changes(planned=(planned,))], NOON)
    both = RunFilter(statuses=(RunStatus.COMPLETE, RunStatus.PLANNED))
    assert [run.id for run in history.find(both, limit=2)] == [2**40, 3]
    assert [run.id for run in history.find(RunFilter())] == [3, 2, 1]
    assert history.counts(both) == {"COMPLETE": 3, "PLANNED": 1}
    late = replace(both, since=NOON + timedelta(hours=1))
    assert [run.status for run in history.find(late)] == ["PLANNED"]


COMMON = {
    "newest": RunFilter(),
    "of a job": RunFilter(job="report"),
    "with a status": RunFilter(statuses=(RunStatus.ERROR,)),
    "with some statuses": RunFilter(statuses=(RunStatus.ERROR, RunStatus.TIMEOUT)),
    "of a job with a status": RunFilter(job="report", statuses=(RunStatus.ERROR,)),
    "of a time": RunFilter(since=NOON, until=NOON + timedelta(minutes=1)),
    "with words": RunFilter(text="refused"),
}


@pytest.mark.parametrize("wanted", COMMON.values(), ids=COMMON)
def test_common_questions_read_no_whole_table(store: Database, wanted: RunFilter) -> None:
    emptied(store)
    statements: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, sql: str, values: object, *_: object) -> None:
        statements.append((sql, values))

    event.listen(store.reader, "before_cursor_execute", note)
    try:
        History(store.reader).find(wanted, before_id=500)
    finally:
        event.remove(store.reader, "before_cursor_execute", note)
    sql, values = statements[-1]
    words = "EXPLAIN QUERY PLAN" if store.reader.dialect.name == "sqlite" else "EXPLAIN"
    with store.writer.connect() as connection:
        if words == "EXPLAIN":
            # On a table of a few rows the planner reads all of it; what counts is whether it has to.
            connection.exec_driver_sql("SET enable_seqscan = off")
        plan = str(connection.exec_driver_sql(f"{words} {sql}", values).fetchall())
    assert "Seq Scan" not in plan
    assert "SCAN run " not in plan.replace("'", " ")
