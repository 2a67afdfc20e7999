"""What is over is removed after its time, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from msgspec import structs

from engine.rules.slots import Slot
from engine.states import Cause, Fate, RunStatus, ScheduleStatus, Trigger
from engine.store.aging import ALERTS, AUDITS, PAGE, SCHEDULES, SLOTS, Aged, Aging, remove_aged
from engine.store.alertrows import AlertRow, save_alerts
from engine.store.database import Database
from engine.store.rows import AuditEntry, Changes, GivenSchedule, JobPatch, PlannedRun
from engine.store.writes import write
from tests.engine.store.conftest import NOON, a_run

DAY = timedelta(days=1)
OLD, LONG_AGO, YOUNG = NOON - DAY, NOON - 2 * DAY, NOON + DAY
GIVEN = GivenSchedule(1, "report", ScheduleStatus.ACTIVE, "once", LONG_AGO, "anna", due=OLD)
SLOT = Slot("report", OLD, OLD, OLD, 1, Fate.SKIPPED, Cause.PAUSED, "paused", None)
ALERT = AlertRow(1, "report", "failing", "run 7 ended ERROR", 7, LONG_AGO, LONG_AGO)


def put(database: Database, *changes: Changes) -> None:
    with database.writer.begin() as connection:
        write(connection, changes, NOON)


def removed(database: Database, kind: Aged, oldest: datetime = NOON) -> list[object]:
    """Remove what is over, and return the first columns of the keys."""
    keys = Aging(database.reader).find(kind, oldest)
    with database.writer.begin() as connection:
        assert remove_aged(connection, kind, keys, oldest) == len(keys)
    assert Aging(database.reader).find(kind, oldest) == []
    return sorted(key[0] for key in keys)


def test_alerts_go_after_their_end_and_never_while_they_go_on(either: Database) -> None:
    ended, young = replace(ALERT, id=2, ended=OLD), replace(ALERT, id=3, ended=YOUNG)
    newest = replace(ALERT, id=4, ended=OLD)
    with either.writer.begin() as connection:
        save_alerts(connection, [ALERT, ended, young, newest], NOON)
    assert removed(either, ALERTS) == [2]


def test_slots_go_but_not_the_one_that_still_holds(either: Database) -> None:
    many = replace(SLOT, job="many", last_due=YOUNG, count=9)
    holds = replace(SLOT, job="off", count=None)
    held = replace(SLOT, job="was off", count=None)
    later = replace(SLOT, job="was off", first_due=YOUNG, last_due=YOUNG, noted=YOUNG)
    slots = [SLOT, many, holds, held, later]
    put(either, Changes(jobs=tuple(JobPatch(slot.job, {"next_due": YOUNG}, (slot,)) for slot in slots)))
    assert removed(either, SLOTS) == ["report", "was off"]


def test_schedules_go_when_no_run_of_them_is_to_come(either: Database) -> None:
    rule = {"every": "1h"}
    ended = {"status": ScheduleStatus.CANCELLED, "ended": OLD, "due": None}
    rows = [
        GIVEN,
        replace(GIVEN, id=2, due=YOUNG),
        replace(GIVEN, id=3, rule=rule, due=OLD),
        replace(GIVEN, id=4, rule=rule, **ended),
        replace(GIVEN, id=5, rule=rule, **ended | {"ended": YOUNG}),
        replace(GIVEN, id=6),
        replace(GIVEN, id=7),
        replace(GIVEN, id=8),
    ]
    again = PlannedRun(1, "report", YOUNG, NOON, trigger=Trigger.RETRY, schedule_id=6)
    goes_on = structs.replace(a_run(2, status=RunStatus.RUNNING), schedule_id=7)
    put(either, Changes(given=tuple(rows), planned=(again,), runs=(goes_on,)))
    assert removed(either, SCHEDULES) == [1, 4]


def test_the_audit_trail_goes_but_for_its_newest_entry(either: Database) -> None:
    entries = [AuditEntry(at, "anna", "socket", "reload", "") for at in (LONG_AGO, OLD, YOUNG, OLD)]
    put(either, *(Changes(audits=(entry,)) for entry in entries))
    assert removed(either, AUDITS) == [1, 2]


@pytest.mark.parametrize("kind", [ALERTS, SLOTS, SCHEDULES, AUDITS], ids=lambda kind: kind.name)
def test_of_an_empty_table_nothing_goes(either: Database, kind: Aged) -> None:
    assert removed(either, kind) == []


def test_many_are_found_in_parts(either: Database) -> None:
    entries = tuple(AuditEntry(OLD, "anna", "socket", "reload", "") for _ in range(PAGE + 2))
    put(either, Changes(audits=entries))
    assert len(Aging(either.reader).find(AUDITS, NOON)) == PAGE
