"""What is told of a planned time, from what is on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.rules.hindsight import Known, merged, of_run, why
from engine.rules.lifecycle import JobState
from engine.rules.slots import Slot
from engine.states import Cause, Fate, JobStatus
from engine.times.schedule import parse_cron, parse_interval
from engine.views import RunView, WhyView

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HOURLY = parse_cron("0 * * * *")


def a_run(due: datetime, late: float | None = 0.01, **values: Any) -> RunView:
    started = None if late is None else due + timedelta(seconds=late)
    given: dict[str, Any] = {
        "id": 7,
        "job": "a",
        "status": "COMPLETE" if started else "QUEUED",
        "returned": None,
        "trigger": "schedule",
        "attempt": 1,
        "due": due,
        "started": started,
        "finished": None,
        "duration_ms": None,
        "error": None,
        "result": None,
        "info": None,
    }
    return RunView(**(given | values))


def a_slot(first: datetime, last: datetime, count: int | None, fate: Fate = Fate.SKIPPED) -> Slot:
    return Slot("a", first, first, last, count, fate, Cause.PAUSED, "paused")


def a_state(due: datetime | None, status: JobStatus = JobStatus.WAITING) -> JobState:
    return JobState(status, "no such setting", active=True, next_due=due)


EMPTY = Known("a", a_state(NOON + HOUR), HOURLY, None, [], [])


def asked(known: Known, at: datetime, now: datetime = NOON + 30 * MINUTE) -> WhyView:
    return why(known, at, at + MINUTE, now)


def fates(view: WhyView) -> list[tuple[str, datetime]]:
    return [(slot.fate, slot.due) for slot in view.found]


def test_a_run_is_late_from_a_second_on() -> None:
    assert of_run(a_run(NOON, 0.999)).fate == "ran"
    assert of_run(a_run(NOON, 1.0)).fate == "late"
    assert of_run(a_run(NOON, None)).fate == "late"


def test_a_run_that_ended_without_a_start_was_skipped() -> None:
    view = of_run(a_run(NOON, None, status="CANCELLED", error="the engine was stopped"))
    assert (view.fate, view.reason, view.run) == ("skipped", "the engine was stopped", 7)


def test_the_first_planned_time_of_the_span_is_the_answer() -> None:
    runs = [a_run(NOON + timedelta(seconds=second)) for second in (40, 20, 30)]
    view = asked(replace(EMPTY, runs=runs), NOON)
    assert fates(view) == [("ran", NOON + timedelta(seconds=20))]


def test_a_time_inside_a_long_slot_is_told_by_the_schedule() -> None:
    known = replace(EMPTY, slots=[a_slot(NOON - 5 * HOUR, NOON, 6, Fate.MISSED)])
    assert fates(asked(known, NOON - 2 * HOUR)) == [("missed", NOON - 2 * HOUR)]
    assert fates(asked(known, NOON - 2 * HOUR + MINUTE)) == []


def test_the_last_time_of_a_slot_is_known_without_a_schedule() -> None:
    known = replace(EMPTY, schedule=None, state=None, slots=[a_slot(NOON - HOUR, NOON, 6)])
    assert fates(asked(known, NOON)) == [("skipped", NOON)]


def test_a_job_that_went_quiet_skips_each_later_time() -> None:
    quiet = a_slot(NOON - 3 * HOUR, NOON - 3 * HOUR, None)
    known = replace(EMPTY, state=a_state(None, JobStatus.STOPPED), slot_before=quiet)
    assert fates(asked(known, NOON - HOUR)) == [("skipped", NOON - HOUR)]
    assert fates(asked(known, NOON + HOUR)) == []


def test_a_job_that_ran_since_is_not_quiet_any_more() -> None:
    quiet = a_slot(NOON - 3 * HOUR, NOON - 3 * HOUR, None)
    known = replace(EMPTY, slot_before=quiet, run_before=a_run(NOON - 2 * HOUR))
    assert fates(asked(known, NOON - HOUR)) == []


def test_times_to_come_are_planned() -> None:
    assert fates(asked(EMPTY, NOON + HOUR)) == [("planned", NOON + HOUR)]
    assert fates(asked(EMPTY, NOON + 9 * HOUR)) == [("planned", NOON + 9 * HOUR)]
    assert fates(asked(EMPTY, NOON + 9 * HOUR + MINUTE)) == []


def test_a_job_whose_file_is_bad_skips_what_passes() -> None:
    known = replace(EMPTY, schedule=None, state=a_state(NOON, JobStatus.INVALID))
    (slot,) = asked(known, NOON + 10 * MINUTE).found
    assert (slot.fate, slot.cause, slot.reason) == (
        "skipped",
        "state",
        "the job is INVALID: no such setting",
    )


def test_a_time_that_was_never_planned_has_its_neighbours() -> None:
    known = replace(EMPTY, run_before=a_run(NOON), slot_before=a_slot(NOON - HOUR, NOON - HOUR, 1))
    view = asked(known, NOON + 5 * MINUTE)
    assert view.found == []
    assert view.before is not None
    assert view.after is not None
    assert (view.before.fate, view.before.due) == ("ran", NOON)
    assert (view.after.fate, view.after.due) == ("planned", NOON + HOUR)


def test_an_intervals_times_are_counted_from_the_last_known_one() -> None:
    known = replace(EMPTY, schedule=parse_interval("7m"), state=a_state(NOON + 3 * MINUTE))
    assert fates(asked(known, NOON + 17 * MINUTE)) == [("planned", NOON + 17 * MINUTE)]


def test_runs_and_slots_are_one_list() -> None:
    views = merged([a_slot(NOON, NOON, 1)], [a_run(NOON - HOUR), a_run(NOON + HOUR)], 2)
    assert [(view.fate, view.due) for view in views] == [("ran", NOON + HOUR), ("skipped", NOON)]
