"""What comes, in order, with what is unusual about it."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.jobs.jobfile import parse_settings
from engine.rules.forecast import forecast
from engine.rules.lifecycle import JobState, at_start, chose_next, deactivate, sleeping
from engine.times.blackout import Blackout
from engine.times.schedule import Schedule

Told = tuple[str, JobState, Schedule | None, Blackout | None]

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def job(name: str, now: datetime = NOW, **raw: object) -> Told:
    settings = parse_settings(raw)
    schedule = settings.schedule(job=name)
    state = at_start(None, settings, schedule, now=now, session=1).state
    return name, state, schedule, settings.blackouts()


def told(*jobs: Told, count: int = 5, since: datetime | None = None) -> list[str]:
    views = forecast(jobs, since=since, count=count)
    return [f"{view.due:%d %H:%M} {view.job}" for view in views]


def notes(*jobs: Told, count: int = 3) -> list[list[str]]:
    return [view.notes for view in forecast(jobs, since=None, count=count)]


def test_due_times_of_all_jobs_come_in_one_order() -> None:
    hourly, often = job("hourly", cron="0 * * * *"), job("often", every="40m")
    assert told(hourly, often) == [
        "02 12:40 often",
        "02 13:00 hourly",
        "02 13:20 often",
        "02 14:00 hourly",
        "02 14:00 often",
    ]


def test_jobs_that_are_not_due_do_not_come() -> None:
    name, state, schedule, blackout = job("off", every="5m")
    assert told((name, deactivate(state), schedule, blackout), job("by hand")) == []


def test_a_time_in_a_blackout_comes_with_its_reason() -> None:
    assert notes(job("a", cron="0 * * * *", blackout="13:30-14:30")) == [
        [],
        ["no run: the blackout 13:30-14:30"],
        [],
    ]


def test_a_time_that_the_job_chose_comes_with_that_reason() -> None:
    name, state, schedule, blackout = job("a", cron="0 * * * *")
    chosen = chose_next(state, NOW + timedelta(minutes=7, seconds=1))
    assert notes((name, chosen, schedule, blackout), count=2) == [["chosen by the job itself (job.next)"], []]


def test_a_run_once_job_comes_once() -> None:
    once = job("once", every="5m", run_once=True)
    assert notes(once) == [["the only one until the engine is started again"]]
    put_off = job("once", every="1h", run_once=True, blackout="12:00-14:00")
    assert notes(put_off) == [
        ["no run: the blackout 12:00-14:00"],
        ["the only one until the engine is started again"],
    ]


def test_a_sleeping_job_comes_when_it_wakes() -> None:
    name, state, schedule, blackout = job("a", cron="0 * * * *")
    asleep = sleeping(state, schedule, NOW + timedelta(hours=24, minutes=5), None)
    assert notes((name, asleep, schedule, blackout), count=2) == [
        ["the job sleeps until then (job.SLEEP)"],
        [],
    ]


def test_a_far_moment_is_reached_without_going_through_all_before_it() -> None:
    assert told(job("often", every="1s"), count=1, since=NOW + timedelta(days=3650)) == ["28 12:00 often"]
    assert told(job("cron", cron="* * * * * *"), count=1, since=NOW + timedelta(days=3650)) == [
        "28 12:00 cron"
    ]


def test_jitter_and_the_end_of_a_schedule_are_told() -> None:
    told_of = notes(job("a", cron="0 * * * *", jitter="5m", expires="2026-03-02T14:30:00"), count=9)
    assert ["(jitter)" in note for note in told_of[0]] == [True]
    assert told_of[2][-1] == "the last one before the schedule expires at 2026-03-02T14:30:00+00:00"
    assert len(told_of) == 3


def test_the_last_of_several_dates_is_told() -> None:
    dates = ["2026-03-02T13:00:00", "2026-03-02T14:00:00"]
    assert notes(job("a", at=dates)) == [[], ["the last date"]]


@pytest.mark.parametrize(
    ("start", "dst", "words"),
    [
        ("2026-03-28T12:00:00+00:00", "once", ["right after the gap", None]),
        ("2026-10-24T12:00:00+00:00", "once", ["only the first is due", None]),
        ("2026-10-24T12:00:00+00:00", "both", ["both are due", "this is the second"]),
        ("2026-06-24T12:00:00+00:00", "once", [None, None]),
    ],
)
def test_a_change_of_the_clocks_is_told(start: str, dst: str, words: list[str | None]) -> None:
    line = job("a", datetime.fromisoformat(start), cron="30 2 * * *", timezone="Europe/Berlin", dst=dst)
    for found, wanted in zip(notes(line, count=2), words, strict=True):
        assert found == [] if wanted is None else wanted in found[0]
