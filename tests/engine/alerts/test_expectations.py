"""When a job should have run by, on a clock that the tests move."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.alerts.expectations import Expectations
from engine.jobs.jobfile import parse_settings
from engine.rules.lifecycle import JobState
from engine.runs.job import Job
from engine.states import JobStatus
from engine.times.clock import ManualClock

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
        self.expectations = Expectations(
            jobs={"report": self.job},
            clock=self.clock,
            runs_now=lambda _: self.running,
            missing=lambda _, due, __: self.found.append(due),
        )
        self.expectations.expect(self.job, GRACE)

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
