"""What becomes of planned times that do not run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.rules.lifecycle import JobState, Missed, deactivate, found_invalid, waiting
from engine.rules.slots import Skip, Slot, given_up, missed, overtaken, removed, skipped
from engine.states import Cause, Fate, JobStatus
from engine.times.schedule import parse_cron, parse_interval

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOURLY = parse_cron("0 * * * *")
EVERY_10 = parse_interval("10m")
PAUSED = Skip(Cause.PAUSED, "paused: inventory")


def state(due: datetime | None, status: JobStatus = JobStatus.WAITING) -> JobState:
    return JobState(status, "reason", active=True, next_due=due)


def test_skips_in_a_row_grow_into_one_slot() -> None:
    slot: Slot | None = None
    for minute in range(3):
        slot = skipped("a", NOON + minute * MINUTE, PAUSED, NOON + minute * MINUTE, slot)
    assert slot is not None
    assert (slot.first_due, slot.last_due, slot.count) == (NOON, NOON + 2 * MINUTE, 3)
    assert (slot.fate, slot.cause, slot.noted) == (Fate.SKIPPED, Cause.PAUSED, NOON)


def test_another_reason_begins_another_slot() -> None:
    first = skipped("a", NOON, PAUSED, NOON)
    other = skipped("a", NOON + MINUTE, Skip(Cause.PAUSED, "paused: holiday"), NOON + MINUTE, first)
    assert (other.first_due, other.count) == (NOON + MINUTE, 1)


def test_missed_times_are_one_slot_however_many() -> None:
    slot = missed("a", NOON, Missed(5000, NOON + 5000 * MINUTE), NOON + 5001 * MINUTE, run_id=8)
    assert (slot.fate, slot.cause, slot.count, slot.run_id) == (Fate.MISSED, Cause.DOWN, 5000, 8)


def test_times_that_passed_beside_a_late_one_are_noted() -> None:
    slot = overtaken("a", HOURLY, NOON, NOON + timedelta(hours=3, minutes=1))
    assert slot is not None
    assert (slot.first_due, slot.count) == (NOON + timedelta(hours=1), 3)
    assert slot.last_due == NOON + timedelta(hours=3)
    assert "2026-03-02T12:00:00+00:00" in slot.reason


def test_a_time_that_is_served_in_time_overtakes_nothing() -> None:
    assert overtaken("a", HOURLY, NOON, NOON + timedelta(seconds=59)) is None
    assert overtaken("a", None, NOON, NOON + timedelta(days=1)) is None


@given(seconds=st.integers(0, 10**7), every=st.integers(1, 10**6))
def test_no_time_is_lost_between_a_late_one_and_the_next(seconds: int, every: int) -> None:
    schedule, now = parse_interval(every), NOON + timedelta(seconds=seconds)
    slot = overtaken("a", schedule, NOON, now)
    following = schedule.following(NOON, now)
    assert following is not None
    between = (slot.count or 0) if slot else 0
    assert NOON + timedelta(seconds=every) * (between + 1) == following


def test_a_planned_time_that_stays_is_no_slot() -> None:
    assert given_up("a", state(NOON), state(NOON), HOURLY, NOON - MINUTE) is None
    assert given_up("a", state(None), state(NOON), HOURLY, NOON - MINUTE) is None


def test_another_time_in_its_place_supersedes_it() -> None:
    slot = given_up("a", state(NOON), state(NOON + 3 * MINUTE), EVERY_10, NOON - MINUTE)
    assert slot is not None
    assert (slot.fate, slot.cause, slot.first_due, slot.count) == (
        Fate.SUPERSEDED,
        Cause.SCHEDULE,
        NOON,
        1,
    )


def test_a_time_that_comes_all_the_same_is_not_given_up() -> None:
    earlier = state(NOON - timedelta(minutes=30))
    assert given_up("a", state(NOON), earlier, HOURLY, NOON - timedelta(hours=1)) is None


def test_a_job_that_goes_quiet_gives_up_all_its_times() -> None:
    off = deactivate(state(NOON), "by operator")
    slot = given_up("a", state(NOON), off, HOURLY, NOON - MINUTE)
    assert slot is not None
    assert (slot.fate, slot.cause, slot.count) == (Fate.SKIPPED, Cause.STATE, None)
    assert slot.reason == "the job is INACTIVE: by operator"


def test_a_bad_file_gives_nothing_up_before_the_time_has_passed() -> None:
    before = waiting(state(None), HOURLY, NOON)
    bad = found_invalid(before, "no such setting", now=NOON - MINUTE)
    assert given_up("a", before, bad, HOURLY, NOON - MINUTE) is None
    assert given_up("a", bad, before, HOURLY, NOON - MINUTE) is None
    good = waiting(before, HOURLY, NOON + timedelta(hours=2))
    slot = given_up("a", bad, good, HOURLY, NOON + timedelta(hours=1, minutes=1))
    assert slot is not None
    assert (slot.fate, slot.first_due, slot.count) == (Fate.SKIPPED, NOON, None)
    assert "INVALID: no such setting" in slot.reason


def test_a_time_that_passed_under_another_schedule_while_no_engine_ran_is_missed() -> None:
    slot = given_up("a", state(NOON), state(NOON + timedelta(days=1)), HOURLY, NOON + timedelta(hours=5))
    assert slot is not None
    assert (slot.fate, slot.cause, slot.count) == (Fate.MISSED, Cause.DOWN, None)


def test_a_removed_job_leaves_its_reason() -> None:
    slot = removed("a", state(NOON), NOON - MINUTE)
    assert slot is not None
    assert slot.reason == "the job's file was removed"
    assert removed("a", replace(state(NOON), status=JobStatus.STOPPED), NOON - MINUTE) is None
