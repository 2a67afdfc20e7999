"""The slot ledger in real databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from msgspec import structs

from engine.rules.slots import Slot
from engine.states import Cause, Fate, Trigger
from engine.store.database import Database
from engine.store.rows import Changes, JobPatch
from engine.store.slotqueries import SlotQueries
from engine.store.writes import write
from tests.engine.store.conftest import NOON, a_run

MINUTE = timedelta(minutes=1)
SLOT = Slot("report", NOON, NOON, NOON, 1, Fate.SKIPPED, Cause.PAUSED, "paused: inventory", None)


def put(database: Database, *changes: Changes) -> None:
    with database.writer.begin() as connection:
        write(connection, changes, NOON)


def patch(*slots: Slot) -> Changes:
    return Changes(jobs=tuple(JobPatch(slot.job, {"next_due": NOON + MINUTE}, (slot,)) for slot in slots))


def at(minutes: int) -> Slot:
    moment = NOON + minutes * MINUTE
    return replace(SLOT, first_due=moment, last_due=moment)


def test_a_slot_is_read_as_it_was_written(either: Database) -> None:
    written = replace(SLOT, count=None, run_id=7)
    put(either, patch(written))
    assert SlotQueries(either.reader).slots("report") == [written]
    assert SlotQueries(either.reader).slots("other") == []


def test_a_slot_that_grew_stays_one_row(either: Database) -> None:
    grown = replace(SLOT, last_due=NOON + MINUTE, count=2)
    most = replace(grown, last_due=NOON + 2 * MINUTE, count=3)
    put(either, patch(SLOT))
    put(either, patch(grown), patch(most))
    assert SlotQueries(either.reader).slots("report") == [most]


def test_slots_are_found_by_the_time_they_cover(either: Database) -> None:
    long = replace(SLOT, last_due=NOON + 5 * MINUTE, count=6)
    put(either, patch(long), patch(at(7)), patch(at(9)))
    queries = SlotQueries(either.reader)

    def minutes(since: int, until: int) -> list[float]:
        found = queries.slots("report", since=NOON + since * MINUTE, until=NOON + until * MINUTE)
        return [(slot.first_due - NOON) / MINUTE for slot in found]

    assert minutes(3, 4) == [0]
    assert minutes(5, 8) == [7, 0]
    assert minutes(8, 9) == []
    assert [slot.first_due for slot in queries.slots("report", limit=1)] == [NOON + 9 * MINUTE]


def test_runs_of_the_schedule_are_found_by_their_due_time(either: Database) -> None:
    runs = [structs.replace(a_run(number), due=NOON + number * MINUTE) for number in (1, 2, 3)]
    by_hand = structs.replace(a_run(4), due=NOON + 2 * MINUTE, trigger=Trigger.MANUAL)
    put(either, Changes(runs=(*runs, by_hand)))
    found = SlotQueries(either.reader).scheduled_runs(
        "report", since=NOON + 2 * MINUTE, until=NOON + 3 * MINUTE
    )
    assert [run.id for run in found] == [2]


def test_runs_of_given_schedules_are_found_where_they_are_wanted(either: Database) -> None:
    put(either, Changes(runs=(a_run(1), structs.replace(a_run(2), trigger=Trigger.GIVEN, schedule_id=4))))
    queries, both = SlotQueries(either.reader), (Trigger.SCHEDULE, Trigger.GIVEN)
    assert [run.id for run in queries.scheduled_runs("report")] == [1]
    assert [run.id for run in queries.scheduled_runs("report", triggers=both)] == [2, 1]


def test_the_slot_of_a_job_that_was_noted_last_is_found_though_another_lies_later(either: Database) -> None:
    to_come, now = at(9), replace(at(3), noted=NOON + 3 * MINUTE)
    replaced = replace(at(7), noted=NOON + 5 * MINUTE, fate=Fate.SUPERSEDED)
    put(either, patch(to_come), patch(now), patch(replaced))
    assert SlotQueries(either.reader).newest_of(["report"]) == {"report": now}


def test_the_newest_slot_of_each_job_is_that_of_its_own_schedule(either: Database) -> None:
    given = replace(at(9), schedule_id=4)
    put(
        either,
        patch(SLOT),
        patch(replace(at(7), noted=NOON + MINUTE)),
        patch(given),
        patch(replace(at(1), job="other")),
    )
    newest = SlotQueries(either.reader).newest_of(["report", "other", "unknown"])
    assert {job: slot.first_due for job, slot in newest.items()} == {
        "report": NOON + 7 * MINUTE,
        "other": NOON + MINUTE,
    }
