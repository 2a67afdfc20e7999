"""A wall clock that jumps: no planned time is lost, and none comes twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.lifecycle import UNKNOWN, JobState, fired, waiting
from engine.rules.setback import due_after, set_back
from engine.rules.slots import given_up, overtaken
from engine.runs.scheduler import Scheduler
from engine.states import JobStatus
from engine.times.clock import ManualClock
from engine.times.plan import Bounded, Delayed, Several, coming_after, dates
from engine.times.schedule import Interval, Schedule, parse_cron, parse_interval

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HOURLY = parse_cron("0 * * * *")


def test_an_interval_keeps_its_remaining_time() -> None:
    due = NOON + 4 * MINUTE
    assert due_after(parse_interval("10m"), due, NOON - HOUR, HOUR) == due - HOUR
    late = Delayed(Bounded(parse_interval("10m")), 3 * MINUTE)
    assert due_after(late, due, NOON - HOUR, HOUR) == due - HOUR


def test_an_interval_that_has_not_begun_keeps_its_start() -> None:
    schedule = Bounded(parse_interval("10m"), starts=NOON + HOUR)
    assert due_after(schedule, NOON + HOUR, NOON - HOUR, HOUR) == NOON + HOUR


def test_a_cron_line_waits_for_its_time() -> None:
    assert due_after(HOURLY, NOON + HOUR, NOON - HOUR, HOUR) == NOON + HOUR


def test_a_cron_line_is_looked_at_anew_after_a_clock_that_was_wrong() -> None:
    years = timedelta(days=1500)
    assert due_after(HOURLY, NOON + years, NOON + MINUTE, years) == NOON + HOUR


def test_a_date_never_comes_twice() -> None:
    later = NOON + timedelta(days=1)
    assert due_after(dates([NOON, later]), later, NOON - 9 * HOUR, 9 * HOUR) == later
    both = Several((HOURLY, dates([NOON, later])))  # type: ignore[arg-type]
    assert due_after(both, NOON + HOUR, NOON - 9 * HOUR + MINUTE, 9 * HOUR) == NOON - 8 * HOUR


@pytest.mark.parametrize("status", [JobStatus.SLEEPING, JobStatus.STOPPED, JobStatus.INVALID])
def test_a_job_that_is_not_on_its_schedule_stays_as_it_is(status: JobStatus) -> None:
    state = replace(UNKNOWN, status=status, next_due=NOON)
    assert set_back(state, parse_interval("10m"), NOON - HOUR, HOUR) is state


class Rehearsal:
    """One job on a clock that may jump, served by the real scheduler and the real rules."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.clock = ManualClock(NOON)
        self.planned: Counter[datetime] = Counter()
        self.ran: list[datetime] = []
        self.passed: list[datetime] = []
        self.replaced: list[datetime] = []
        self.waits: list[float] = []
        self.scheduler = Scheduler(clock=self.clock, on_due=self.due, on_set_back=self.went_back)
        self.state = UNKNOWN
        self.arm(waiting(UNKNOWN, schedule, schedule.first(NOON)))
        self._armed_at = 0.0

    def arm(self, state: JobState) -> None:
        if state.due is not None and state.due != self.state.due:
            self.planned[state.due] += 1
        self.state = state
        self._armed_at = self.clock.monotonic()
        self.scheduler.arm("job", state.due)

    def due(self, job: str, due: datetime) -> None:
        now = self.clock.now()
        self.ran.append(due)
        self.waits.append(self.clock.monotonic() - self._armed_at)
        slot = overtaken(job, self.schedule, due, now)
        if slot is not None:
            later = takewhile(lambda one: one <= slot.last_due, coming_after(self.schedule, due))
            passed = list(later)
            assert (passed[0], passed[-1], len(passed)) == (slot.first_due, slot.last_due, slot.count)
            self.passed += passed
        self.arm(fired(self.state, self.schedule, due, now))

    def went_back(self, now: datetime, by: timedelta) -> None:
        before, after = self.state, set_back(self.state, self.schedule, now, by)
        if after is before:
            return
        slot = given_up("job", before, after, self.schedule, now)
        if slot is not None:
            self.replaced.append(slot.first_due)
        armed_at = self._armed_at
        self.arm(after)
        self._armed_at = armed_at

    def go_on(self, seconds: float) -> None:
        """Let time pass as it does, the alarm ringing at each due time."""
        end = self.clock.monotonic() + seconds
        while (left := end - self.clock.monotonic()) > 0:
            first = self.scheduler.first_due()
            wait = left if first is None else (first - self.clock.now()).total_seconds()
            self.clock.advance(min(left, max(wait, 0)))
            self.scheduler.tick(self.clock.now())

    def jump(self, seconds: float) -> None:
        """Set the clock; the kernel rings at once."""
        self.clock.jump(seconds)
        self.scheduler.tick(self.clock.now())


steps = st.lists(st.tuples(st.booleans(), st.integers(-10_000, 10_000)), max_size=12)


def rehearse(schedule: Schedule, history: list[tuple[bool, int]]) -> Rehearsal:
    rehearsal = Rehearsal(schedule)
    for jumps, seconds in history:
        if jumps:
            rehearsal.jump(seconds)
        else:
            rehearsal.go_on(abs(seconds))
    return rehearsal


@settings(max_examples=40, deadline=None)
@given(history=steps, line=st.sampled_from(["0 * * * *", "*/7 * * * *", "30 12,14 * * *"]))
def test_each_time_of_a_cron_line_comes_exactly_once(history: list[tuple[bool, int]], line: str) -> None:
    schedule = parse_cron(line)
    done = rehearse(schedule, history)
    accounted = sorted(done.ran + done.passed)
    assert accounted == sorted(set(accounted))
    assert done.replaced == []
    expected, due = [], schedule.first(NOON)
    while due is not None and done.state.due is not None and due < done.state.due:
        expected.append(due)
        due = schedule.following(due, due)
    assert accounted == expected


@settings(max_examples=40, deadline=None)
@given(history=steps, seconds=st.integers(60, 4000))
def test_each_time_that_an_interval_plans_ends_once_and_none_waits_longer_than_it_is(
    history: list[tuple[bool, int]], seconds: int
) -> None:
    done = rehearse(Interval(seconds), history)
    ends = Counter(done.ran) + Counter(done.replaced)
    ends[done.state.due] += 1  # type: ignore[index]
    assert all(ends[due] >= 1 for due in done.planned)
    assert sum(ends.values()) == sum(done.planned.values())
    assert max(done.waits, default=0) <= seconds + 0.001


@pytest.mark.parametrize("back", [3 * 3600, 86_400, 40 * 86_400 + 7])
def test_a_clock_that_was_far_ahead_does_not_keep_a_cron_line_waiting(back: int) -> None:
    done = Rehearsal(HOURLY)
    done.jump(back)
    ran = len(done.ran)
    done.jump(-back)
    done.go_on(3601)
    assert len(done.ran) == ran + 1
