"""Schedules given at run time in the database, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import StoreError
from engine.rules.slots import Slot
from engine.states import Cause, Fate, ScheduleStatus, Trigger
from engine.store.database import Database
from engine.store.given import GivenQueries
from engine.store.rows import Changes, GivenSchedule, JobPatch, PlannedRun
from engine.store.slotqueries import SlotQueries
from engine.store.writes import write
from tests.engine.store.conftest import NOON

LATER = NOON + timedelta(hours=1)
CHAIN = GivenSchedule(
    id=1,
    job="report",
    status=ScheduleStatus.ACTIVE,
    words="every 1h",
    created=NOON,
    created_by="anna@web1",
    rule={"every": "1h", "timezone": "UTC"},
    due=LATER,
    user_id=-(2**63) + 1,
    tag="digest",
    data={"shops": [3, None, "Łódź"]},
    retries="unlimited",
    retry_delay=0.5,
    remove_after=3600.0,
    called_by=2**62,
    skipped=2,
    note="schedule 1: no engine ran",
    run_skipped=False,
)
SINGLE = GivenSchedule(
    2, "report", ScheduleStatus.ACTIVE, "once", NOON, "anna@web1", due=LATER, last_run_id=20
)
RUN = PlannedRun(20, "report", LATER, NOON, data=[1], user_id=7, trigger=Trigger.GIVEN, schedule_id=2, tag="")


def put(database: Database, *changes: Changes) -> None:
    with database.writer.begin() as connection:
        write(connection, changes, NOON)


def ids(rows: list[GivenSchedule]) -> list[int]:
    return [row.id for row in rows]


def test_a_schedule_comes_back_as_it_was_given(either: Database) -> None:
    put(either, Changes(given=(CHAIN, SINGLE), planned=(RUN,)))
    queries = GivenQueries(either.reader)
    assert [queries.one(1), queries.one(2), queries.one(3)] == [CHAIN, SINGLE, None]
    assert queries.planned([20, 21]) == [RUN]
    assert queries.repeating() == [CHAIN]


def test_a_step_changes_where_it_stands_and_nothing_that_was_given(either: Database) -> None:
    put(either, Changes(given=(CHAIN,)))
    step = replace(CHAIN, due=LATER + timedelta(hours=1), last_run_id=9, skipped=3, note="paused")
    put(either, Changes(given_steps=(replace(step, data="other", user_id=1, run_skipped=True),)))
    assert GivenQueries(either.reader).one(1) == step


def test_one_that_has_ended_takes_no_step_and_nothing_with_it_is_kept(either: Database) -> None:
    over = replace(CHAIN, status=ScheduleStatus.CANCELLED, ended=LATER, reason="removed", due=None)
    put(either, Changes(given=(CHAIN,)), Changes(given_steps=(over,)))
    with pytest.raises(StoreError, match="schedule 1 cannot go on"):
        put(either, Changes(given_steps=(CHAIN,), planned=(replace(RUN, id=21),)))
    queries = GivenQueries(either.reader)
    assert (queries.one(1), queries.planned([21]), queries.repeating()) == (over, [], [])


def test_a_single_run_is_over_when_no_run_of_it_is_to_come(either: Database) -> None:
    put(either, Changes(given=(SINGLE,), planned=(RUN,)))
    queries = GivenQueries(either.reader)
    assert ids(queries.find()) == [2]
    put(either, Changes(unplanned=(20,)))
    found = queries.one(2)
    assert found is not None
    assert (found.status, ids(queries.find()), ids(queries.find(ended=True))) == ("OVER", [], [2])


def test_schedules_are_listed_newest_first_by_job_and_user_and_in_pages(either: Database) -> None:
    rows = [replace(CHAIN, id=n, job="a" if n % 2 else "b", user_id=n % 3) for n in range(1, 10)]
    put(either, Changes(given=tuple(rows)))
    queries = GivenQueries(either.reader)
    assert ids(queries.find(limit=4)) == [9, 8, 7, 6]
    assert ids(queries.find(before_id=6, limit=4)) == [5, 4, 3, 2]
    assert ids(queries.find(job="a", user_id=1)) == [7, 1]
    assert queries.next_id() == 10


def test_the_first_schedule_of_a_database_is_number_one(either: Database) -> None:
    assert GivenQueries(either.reader).next_id() == 1


def test_slots_of_a_job_are_told_apart_by_the_schedule_they_are_of(either: Database) -> None:
    own = Slot("report", NOON, NOON, NOON, 1, Fate.SKIPPED, Cause.PAUSED, "paused")
    of_one = replace(own, first_due=LATER, last_due=LATER, schedule_id=1)
    of_two = replace(of_one, noted=LATER, schedule_id=2)
    put(either, Changes(jobs=(JobPatch("report", {}, slots=(own, of_one, of_two)),)))
    newest = SlotQueries(either.reader).newest
    assert [newest("report"), newest("report", 1), newest("report", 2)] == [own, of_one, of_two]
    assert newest("report", 3) is None
