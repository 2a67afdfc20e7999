"""When a job should have run by, on a clock that the tests move."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.alerts.expectations import Expectations
from engine.jobs.jobfile import parse_settings
from engine.rules.lifecycle import JobState
from engine.runs.job import Job
from engine.states import JobStatus, ScheduleStatus
from engine.store.rows import GivenSchedule
from engine.times.clock import ManualClock
from engine.times.schedule import Schedule, parse_cron

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
GRACE = 15 * 60.0


class Waiting:
    """One job that is due at each full hour, and what is expected of it."""

    def __init__(self, **settings: object) -> None:
        given = parse_settings({"cron": "0 * * * *", **settings})
        self.job = Job("report", "report.lua", JobState(JobStatus.WAITING, "", active=True), given)
        self.job.schedule, self.job.blackout = given.schedule(), given.blackouts()
        self.clock = ManualClock(NOON - HOUR / 2)
        self.found: list[datetime] = []
        self.running = False
        self.given: list[tuple[GivenSchedule, Schedule]] = []
        self.expectations = Expectations(
            jobs={"report": self.job},
            clock=self.clock,
            runs_now=lambda _: self.running,
            missing=lambda _, due, __: self.found.append(due),
            given=lambda _: self.given,
        )
        self.expectations.expect(self.job, GRACE)

    def give(self, schedule_id: int, line: str) -> None:
        """Give the job a schedule, beside that of its file."""
        schedule = parse_cron(line)
        due, status = schedule.first(self.clock.now()), ScheduleStatus.ACTIVE
        row = GivenSchedule(schedule_id, "report", status, line, NOON, "anna", due=due)
        self.given.append((row, schedule))
        self.expectations.expect_given(self.job, GRACE)

    def at(self, moment: datetime) -> list[datetime]:
        """Return the due times that are missing when it is so late."""
        self.clock.advance((moment - self.clock.now()).total_seconds())
        self.expectations.tick(moment)
        return self.found


def test_a_job_is_missing_when_the_grace_is_over_and_not_before() -> None:
    waiting = Waiting()
    assert waiting.at(NOON + 14 * MINUTE) == []
    assert waiting.at(NOON + 15 * MINUTE) == [NOON]
    assert waiting.at(NOON + 74 * MINUTE) == [NOON]
    assert waiting.at(NOON + 75 * MINUTE) == [NOON, NOON + HOUR]


def test_a_run_that_began_since_it_was_due_is_enough() -> None:
    waiting = Waiting()
    waiting.expectations.ran("report", NOON + MINUTE)
    assert waiting.at(NOON + 15 * MINUTE) == []
    waiting.expectations.ran("report", NOON + 59 * MINUTE)
    assert waiting.at(NOON + 75 * MINUTE) == [NOON + HOUR]


def test_a_run_that_still_goes_on_stands_for_the_time() -> None:
    waiting = Waiting()
    waiting.running = True
    assert waiting.at(NOON + 15 * MINUTE) == []
    waiting.running = False
    waiting.expectations.ran("report", NOON + 16 * MINUTE)
    assert waiting.at(NOON + 75 * MINUTE) == [NOON + HOUR]


def test_a_grace_longer_than_the_time_between_two_due_times_is_counted_from_each() -> None:
    waiting = Waiting()
    waiting.expectations.expect(waiting.job, 150 * 60.0)
    waiting.expectations.ran("report", NOON + MINUTE)
    assert waiting.at(NOON + 150 * MINUTE) == []
    assert waiting.at(NOON + HOUR + 150 * MINUTE) == [NOON + HOUR]


def test_times_in_a_blackout_or_a_sleep_are_not_missed() -> None:
    assert Waiting(blackout="11:30-12:30").at(NOON + 15 * MINUTE) == []
    sleeping = Waiting()
    state = replace(sleeping.job.state, status=JobStatus.SLEEPING, next_due=NOON + 24 * HOUR)
    sleeping.job.state = state
    assert sleeping.at(NOON + 15 * MINUTE) == []
    assert sleeping.at(NOON + 24 * HOUR + 15 * MINUTE) == [NOON + 24 * HOUR]


def test_what_the_engine_has_armed_does_not_matter() -> None:
    waiting = Waiting()
    waiting.job.state = replace(waiting.job.state, status=JobStatus.STOPPED, next_due=None)
    assert waiting.at(NOON + 15 * MINUTE) == [NOON]


def test_a_file_that_goes_bad_leaves_what_was_expected() -> None:
    waiting = Waiting()
    waiting.job.settings = waiting.job.schedule = None
    waiting.expectations.expect(waiting.job, GRACE)
    assert waiting.at(NOON + 15 * MINUTE) == [NOON]


def test_the_same_again_changes_nothing_and_another_schedule_begins_anew() -> None:
    waiting = Waiting()
    waiting.at(NOON + 5 * MINUTE)
    waiting.expectations.expect(waiting.job, GRACE)
    assert waiting.expectations.until("report") == NOON + 15 * MINUTE
    waiting.job.schedule = parse_settings({"cron": "30 * * * *"}).schedule()
    waiting.expectations.expect(waiting.job, GRACE)
    assert waiting.expectations.until("report") == NOON + 45 * MINUTE


@pytest.mark.parametrize("settings", [{"cron": None}, {"expires": "2026-03-02T12:00:00"}])
def test_of_a_job_that_is_never_due_nothing_is_expected(settings: dict[str, object]) -> None:
    waiting = Waiting()
    given = {name: value for name, value in {"cron": "0 * * * *", **settings}.items() if value}
    waiting.job.schedule = parse_settings(given).schedule()
    waiting.expectations.expect(waiting.job, GRACE)
    assert waiting.expectations.until("report") is None


def test_what_is_dropped_is_not_expected_any_more() -> None:
    waiting = Waiting()
    waiting.expectations.drop("report")
    assert waiting.at(NOON + 15 * MINUTE) == []


def test_a_schedule_given_at_run_time_is_expected_too_and_each_counts_by_itself() -> None:
    waiting = Waiting()
    waiting.give(7, "30 12 * * *")
    waiting.give(8, "50 12 * * *")
    assert waiting.expectations.until("report") == NOON + 15 * MINUTE
    waiting.expectations.ran("report", NOON + 31 * MINUTE)
    assert waiting.at(NOON + 64 * MINUTE) == []
    assert waiting.at(NOON + 65 * MINUTE) == [NOON + 50 * MINUTE]
    assert waiting.at(NOON + 75 * MINUTE) == [NOON + 50 * MINUTE, NOON + HOUR]


def test_a_given_schedule_is_expected_of_a_job_that_has_none_in_its_file() -> None:
    waiting = Waiting()
    waiting.expectations.drop_own("report")
    waiting.give(7, "30 12 * * *")
    assert waiting.at(NOON + 44 * MINUTE) == []
    assert waiting.at(NOON + 45 * MINUTE) == [NOON + HOUR / 2]
    assert waiting.expectations.until("report") == NOON + 24 * HOUR + 45 * MINUTE


def test_a_given_schedule_that_is_taken_back_is_expected_no_more() -> None:
    waiting = Waiting()
    waiting.give(7, "30 12 * * *")
    waiting.given.clear()
    waiting.expectations.expect_given(waiting.job, GRACE)
    waiting.expectations.drop_own("report")
    assert waiting.at(NOON + HOUR) == []
    assert waiting.expectations.until("report") is None


def test_a_given_schedule_in_a_blackout_or_a_sleep_is_not_missed() -> None:
    dark = Waiting(blackout="11:30-12:40")
    dark.give(7, "30 12 * * *")
    assert dark.at(NOON + 45 * MINUTE) == []
