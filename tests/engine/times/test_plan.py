"""Schedules made of schedules."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ScheduleError
from engine.times.plan import (
    Bounded,
    Dates,
    Delayed,
    Several,
    combined,
    coming,
    dates,
    delay_for,
    parse_moment,
)
from engine.times.schedule import Interval, Schedule, parse_cron

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def cron(line: str) -> Schedule:
    return parse_cron(line)


def times(schedule: Schedule, count: int, now: datetime = NOON) -> list[str]:
    return [due.strftime("%d %H:%M") for due in coming(schedule, now, count)]


def test_dates_are_due_once_each_in_order() -> None:
    schedule = dates([NOON + minutes(20), NOON + minutes(10), NOON + minutes(10)])
    assert times(schedule, 5) == ["02 12:10", "02 12:20"]


def test_a_date_that_has_passed_is_not_due() -> None:
    assert dates([NOON - minutes(1)]).first(NOON) is None


def test_several_lines_are_due_whenever_one_is_and_once_where_two_are() -> None:
    schedule = combined([cron("0 * * * *"), cron("*/30 13 * * *")])
    assert schedule is not None
    assert times(schedule, 4) == ["02 13:00", "02 13:30", "02 14:00", "02 15:00"]


def test_an_interval_cannot_stand_beside_others() -> None:
    with pytest.raises(ScheduleError, match="every"):
        combined([Interval(60), cron("0 * * * *")])


def test_a_delay_moves_every_due_time_by_the_same() -> None:
    schedule = Delayed(cron("0 * * * *"), minutes(7))
    assert times(schedule, 2) == ["02 12:07", "02 13:07"]


def test_a_delayed_interval_keeps_its_distance() -> None:
    schedule = Delayed(Interval(600), minutes(3))
    assert times(schedule, 3) == ["02 12:13", "02 12:23", "02 12:33"]


def test_nothing_is_due_before_the_start_nor_at_the_end() -> None:
    schedule = Bounded(cron("0 * * * *"), starts=NOON + minutes(120), expires=NOON + minutes(240))
    assert times(schedule, 9) == ["02 14:00", "02 15:00"]


def test_an_interval_counts_from_its_start() -> None:
    schedule = Bounded(Interval(600), starts=NOON + minutes(60))
    assert times(schedule, 2) == ["02 13:00", "02 13:10"]


def test_missed_times_end_where_the_schedule_does() -> None:
    schedule = Bounded(cron("0 * * * *"), expires=NOON + minutes(150))
    assert schedule.missed(NOON + minutes(60), NOON + minutes(600)) == 2
    assert schedule.latest(NOON + minutes(60), NOON + minutes(600)) == NOON + minutes(120)


@given(st.text(min_size=1), st.floats(0.01, 3600))
def test_a_jobs_delay_is_its_own_and_below_the_longest(job: str, longest: float) -> None:
    delay = delay_for(job, longest)
    assert delay == delay_for(job, longest)
    assert timedelta() <= delay < timedelta(seconds=longest)


def test_delays_are_spread_over_the_whole_range() -> None:
    seconds = sorted(delay_for(f"job{n}", 60).total_seconds() for n in range(1000))
    assert seconds[100] < 12
    assert seconds[900] > 48


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-24T18:00:00", "2026-12-24T17:00:00+00:00"),
        ("2026-07-01T18:00", "2026-07-01T16:00:00+00:00"),
        ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00+00:00"),
        ("2026-12-24T18:00:00-05:00", "2026-12-24T23:00:00+00:00"),
        ("2026-03-29T02:30:00", "2026-03-29T01:00:00+00:00"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_a_date_is_read_on_the_zones_wall_clock_unless_it_has_an_offset(text: str, moment: str) -> None:
    assert parse_moment(text, BERLIN).isoformat() == moment


@pytest.mark.parametrize("text", ["soon", "2026-13-01T00:00:00", ""])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError, match="is no date"):
        parse_moment(text, BERLIN)


SCHEDULES = st.sampled_from(
    [
        cron("*/7 * * * *"),
        cron("0 9-17 * * MON-FRI"),
        Dates(tuple(NOON + minutes(n) for n in (5, 50, 500))),
        Interval(413),
        Several((cron("*/11 * * * *"), Dates((NOON + minutes(3),)))),
    ]
)
LAYERS = st.sampled_from(["plain", "delayed", "bounded", "delayed bounded"])


def layered(schedule: Schedule, layers: str) -> Schedule:
    if "delayed" in layers:
        schedule = Delayed(schedule, timedelta(seconds=95))
    if "bounded" in layers:
        schedule = Bounded(schedule, starts=NOON + minutes(40), expires=NOON + minutes(900))
    return schedule


@given(SCHEDULES, LAYERS, st.integers(0, 2000), st.integers(0, 2000))
def test_following_agrees_with_stepping_through_all_due_times(
    schedule: Schedule, layers: str, start: int, later: int
) -> None:
    plan = layered(schedule, layers)
    all_due = list(coming(plan, NOON + minutes(start), 600))
    assert all_due == sorted(set(all_due))
    if not all_due or later > 1900:
        return
    now = NOON + minutes(start + later)
    after = [due for due in all_due if due > max(now, all_due[0])]
    if after:
        assert plan.following(all_due[0], now) == after[0]


@given(SCHEDULES.filter(lambda s: not isinstance(s, Several)), LAYERS, st.integers(0, 300))
def test_missed_and_latest_agree_with_stepping_through_all_due_times(
    schedule: Schedule, layers: str, later: int
) -> None:
    plan = layered(schedule, layers)
    due = plan.first(NOON)
    now = NOON + minutes(later)
    if due is None or due > now:
        return
    passed = [one for one in coming(plan, NOON, 2000) if one <= now]
    assert plan.missed(due, now) == len(passed)
    assert plan.latest(due, now) == passed[-1]
