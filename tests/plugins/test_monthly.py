"""The schedule `monthly` means the days that its words say, in the job's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import JobFileError
from engine.jobs.jobfile import parse_settings
from engine.times.plan import coming
from engine.times.schedule import Schedule
from plugins.monthly import DAYS, ORDINALS, WEEKDAYS, Monthly, parse_day
from tests.lab import plugins_with

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ADDITIONS = plugins_with().additions


def schedule(**raw: object) -> Schedule:
    settings = parse_settings(raw, additions=ADDITIONS)
    made = settings.schedule(job="report", additions=ADDITIONS)
    assert made is not None
    return made


def due(count: int, **raw: object) -> list[str]:
    return [moment.strftime("%m-%d %H:%M") for moment in coming(schedule(**raw), NOON, count)]


@pytest.mark.parametrize(
    ("text", "moments"),
    [
        ("last friday 17:00", ["03-27 17:00", "04-24 17:00", "05-29 17:00"]),
        ("first monday", ["04-06 00:00", "05-04 00:00", "06-01 00:00"]),
        ("first workday 06:30", ["04-01 06:30", "05-01 06:30", "06-01 06:30"]),
        ("last day 23:59:30", ["03-31 23:59", "04-30 23:59", "05-31 23:59"]),
        ("last workday", ["03-31 00:00", "04-30 00:00", "05-29 00:00"]),
        ("fifth sunday", ["03-29 00:00", "05-31 00:00", "08-30 00:00"]),
    ],
)
def test_a_day_of_each_month_is_due(text: str, moments: list[str]) -> None:
    assert due(3, monthly=text) == moments


def test_several_days_and_a_cron_line_stand_beside_each_other() -> None:
    days = ["second tuesday 08:00", "Last  Friday 17:00"]
    assert due(3, monthly=days, cron="0 9 20 * *") == ["03-10 08:00", "03-20 09:00", "03-27 17:00"]


def test_the_time_is_that_of_the_jobs_zone() -> None:
    assert due(2, monthly="last sunday 12:00", timezone="Europe/Berlin") == ["03-29 10:00", "04-26 10:00"]


def test_a_time_in_the_spring_gap_is_due_right_after_it() -> None:
    assert due(1, monthly="last sunday 02:30", timezone="Europe/Berlin") == ["03-29 01:00"]


def test_starts_and_expires_bound_it() -> None:
    bounds = {"starts": "2026-04-01T00:00:00", "expires": "2026-06-01T00:00:00"}
    assert due(9, monthly="first day 08:00", **bounds) == ["04-01 08:00", "05-01 08:00"]


@pytest.mark.parametrize("value", ["", "friday", "last freitag", "last friday 25:00", 5, [], ["first"], True])
def test_what_is_no_day_is_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(JobFileError, match=r"monthly = .*: must be first, second"):
        parse_settings({"monthly": value}, additions=ADDITIONS)


def test_it_cannot_stand_beside_an_interval() -> None:
    with pytest.raises(JobFileError, match="both every and monthly are set"):
        parse_settings({"monthly": "last day", "every": "2m"}, additions=ADDITIONS)


def test_its_words_tell_days_and_zone() -> None:
    assert schedule(monthly="last  day 9:00").words() == "monthly last day 9:00 (UTC)"


def test_the_end_of_time_is_no_error() -> None:
    end = datetime(9999, 11, 30, tzinfo=UTC)
    assert Monthly((parse_day("last day"),), ZoneInfo("UTC")).after(end) is None


@given(
    which=st.sampled_from(list(ORDINALS)),
    kind=st.sampled_from(DAYS),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia", "America/St_Johns"]),
    seconds=st.integers(0, 37 * 366 * 86_400),
)
def test_what_is_due_is_later_and_is_the_day_that_was_named(
    which: str, kind: str, zone: str, seconds: int
) -> None:
    moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    monthly = Monthly((parse_day(f"{which} {kind} 12:00"),), ZoneInfo(zone))
    found = monthly.after(moment)
    assert found is not None
    assert found > moment
    local = found.astimezone(ZoneInfo(zone))
    if kind in WEEKDAYS:
        assert WEEKDAYS[local.weekday()] == kind
        if which == "last":
            assert (local.date() + timedelta(days=7)).month != local.month
        else:
            assert (local.day - 1) // 7 == ORDINALS[which]
    assert monthly.missed(found, monthly.following(found, found) or found) == 2
    assert monthly.latest(found, found + timedelta(days=1)) == found
