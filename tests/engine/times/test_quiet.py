"""Quiet hours cover what people mean, over midnight and over changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.times.quiet import DAYS, QuietHours, quiet_hours, read_quiet

moments = st.integers(0, 4 * 366 * 24 * 60).map(
    lambda minute: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)
times = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")


@st.composite
def spans(draw: st.DrawFn) -> str:
    start, end = draw(st.lists(times, min_size=2, max_size=2, unique=True))
    days = draw(st.lists(st.sampled_from(DAYS), min_size=0, max_size=3, unique=True))
    return f"{','.join(days)} {start}-{end}".strip()


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])


def berlin(*texts: str) -> QuietHours:
    return quiet_hours(tuple(read_quiet(list(texts))), "Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2026-03-02T21:30:00+01:00", False),
        ("2026-03-02T22:00:00+01:00", True),
        ("2026-03-03T06:59:59+01:00", True),
        ("2026-03-03T07:00:00+01:00", False),
    ],
)
def test_a_span_goes_over_midnight_in_its_time_zone(moment: str, quiet: bool) -> None:
    assert berlin("22:00-07:00").covers(datetime.fromisoformat(moment)) is quiet


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    friday_night = berlin("FRI 22:00-07:00")
    assert friday_night.covers(datetime.fromisoformat("2026-03-07T03:00:00+01:00"))
    assert not friday_night.covers(datetime.fromisoformat("2026-03-06T03:00:00+01:00"))


def test_the_end_of_spans_that_touch_is_the_end_of_all_of_them() -> None:
    weekend = berlin("22:00-07:00", "SAT-SUN 00:00-24:00")
    end = weekend.end(datetime.fromisoformat("2026-03-06T23:00:00+01:00"))
    assert end == datetime.fromisoformat("2026-03-09T07:00:00+01:00")


def test_an_end_in_the_hour_that_spring_leaves_out_is_after_it() -> None:
    end = berlin("22:00-02:30").end(datetime.fromisoformat("2026-03-28T23:00:00+01:00"))
    assert end == datetime.fromisoformat("2026-03-29T03:30:00+02:00")


@given(st.lists(spans(), min_size=1, max_size=3), zones, moments)
def test_the_end_is_not_quiet_and_all_before_it_is(texts: list[str], zone: str, moment: datetime) -> None:
    try:
        read_quiet(texts)
    except ValueError:
        return
    quiet = quiet_hours(tuple(read_quiet(texts)), zone)
    end = quiet.end(moment)
    assert end >= moment
    assert not quiet.covers(end)
    if quiet.covers(moment):
        steps = int((end - moment) / timedelta(minutes=30))
        assert all(quiet.covers(moment + timedelta(minutes=30 * step)) for step in range(min(steps, 100)))


@given(st.lists(spans(), max_size=3))
def test_what_was_read_is_read_again_as_the_same(texts: list[str]) -> None:
    try:
        once = read_quiet(texts)
    except ValueError:
        return
    assert read_quiet(once) == once == read_quiet("; ".join(texts))


@pytest.mark.parametrize(
    "wrong",
    ["22-07", "22:00", "25:00-01:00", "10:00-10:00", "MOO 10:00-11:00", "10:60-11:00", 7, [7], "00:00-24:00"],
)
def test_what_is_no_span_is_refused_with_what_is_allowed(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"^must"):
        read_quiet(wrong)
