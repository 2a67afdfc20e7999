"""Runs over time, as the database puts them together and as a plain list has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from engine.runfilter import RunFilter
from engine.states import FINAL, RunStatus
from engine.store.database import Database
from engine.store.history import History
from engine.store.rows import Changes, JobPatch, RunEnd
from engine.store.timelines import Steps, Timelines
from engine.store.writes import write
from engine.views import JobFailuresView, TimelinePartView
from tests.engine.store.conftest import NOON, a_run
from tests.engine.store.servers import KINDS, emptied, migrated
from tests.plainruns import Plain

MINUTE = timedelta(minutes=1)
#: Away from the edges of steps, where the databases' own arithmetic may round either way.
OFF_EDGE = timedelta(seconds=7)
NOW = NOON + 44 * MINUTE + 2 * OFF_EDGE


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of each kind for all tests here; each of them empties it first."""
    with migrated(request.param, tmp_path_factory.mktemp("store")) as database:
        yield database


@dataclass(frozen=True)
class Past:
    """A run: when it was made and started, and when and how it ended, in minutes after noon."""

    job: str
    status: RunStatus
    began: int
    lasted: int
    starts: bool

    @property
    def made(self) -> datetime:
        return NOON + self.began * MINUTE + OFF_EDGE

    @property
    def ended(self) -> datetime:
        return self.made + self.lasted * MINUTE


pasts = st.builds(
    Past,
    job=st.sampled_from(["report", "admin/mail", "till"]),
    status=st.sampled_from([*sorted(FINAL), RunStatus.RUNNING]),
    began=st.integers(-30, 40),
    lasted=st.integers(0, 40),
    starts=st.booleans(),
)


def put(database: Database, runs: list[Past]) -> None:
    """Write runs as the engine does."""
    changes = []
    for number, run in enumerate(runs, 1):
        goes_on = run.status is RunStatus.RUNNING
        first = RunStatus.RUNNING if goes_on or run.starts else RunStatus.QUEUED
        row = structs.replace(a_run(number, run.job, first), queued=run.made, due=run.made)
        row = structs.replace(row, started=run.made if first is RunStatus.RUNNING else None)
        changes.append(Changes(runs=(row,), jobs=(JobPatch(run.job, {}),)))
        if not goes_on:
            changes.append(Changes(ends=((number, RunEnd(run.status, run.ended)),)))
    with database.writer.begin() as connection:
        write(connection, changes, NOON)


def plain(database: Database, steps: Steps) -> Plain:
    return Plain(
        History(database.reader).find(RunFilter(), limit=1000), steps.since, steps.until, steps.count
    )


spans = st.builds(
    lambda begin, length, count: Steps(NOON + begin * MINUTE, NOON + (begin + length) * MINUTE, count),
    begin=st.integers(-20, 30),
    length=st.sampled_from([10, 20, 40, 60]),
    count=st.sampled_from([1, 5, 10]),
)


@settings(max_examples=60, deadline=None)
@given(runs=st.lists(pasts, max_size=15), steps=spans)
def test_a_timeline_and_failures_are_those_of_the_list(
    store: Database, runs: list[Past], steps: Steps
) -> None:
    timelines = Timelines(emptied(store).reader)
    put(store, runs)
    beside = plain(store, steps)
    assert timelines.timeline(steps, NOW, 10) == beside.timeline(NOW, 10)
    assert timelines.failures(steps, 10) == beside.failures(10)


def test_of_many_jobs_those_that_began_first_are_told_and_how_many_more_there_are(store: Database) -> None:
    timelines = Timelines(emptied(store).reader)
    put(store, [Past(f"job{n}", RunStatus.ERROR, 9 - n, 1, starts=True) for n in range(9)])
    steps = Steps(NOON, NOON + 60 * MINUTE, 60)
    told = timelines.timeline(steps, NOW, 2)
    assert [one.job for one in told.jobs] == ["job8", "job7"]
    assert told.more_jobs == 7
    assert timelines.failures(steps, 2).jobs == [JobFailuresView("job0", 1), JobFailuresView("job1", 1)]


def test_a_run_of_many_days_that_goes_on_is_told_and_one_that_waits_is_not(store: Database) -> None:
    timelines = Timelines(emptied(store).reader)
    days = 5 * 24 * 60
    put(store, [Past("watch", RunStatus.RUNNING, -days, 0, starts=True)])
    with store.writer.begin() as connection:
        waiting = structs.replace(a_run(9, "till", RunStatus.QUEUED), queued=NOON, started=None)
        write(connection, [Changes(runs=(waiting,), jobs=(JobPatch("till", {}),))], NOON)
    told = timelines.timeline(Steps(NOON, NOON + 60 * MINUTE, 4), NOW, 9)
    assert [(one.job, one.parts) for one in told.jobs] == [("watch", [TimelinePartView(0, 2, "ran")])]
    assert told.at_once == [1, 1, 1, 0]
