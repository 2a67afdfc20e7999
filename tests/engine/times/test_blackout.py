"""Windows of time without runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ScheduleError
from engine.times.blackout import WEEKDAYS, Blackout, blackout_of, read_window

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2020, 1, 1, tzinfo=UTC)
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]


def wall(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text.replace(' ', 'T')}")


def blackout(*texts: str, zone: ZoneInfo = BERLIN) -> Blackout:
    found = blackout_of(texts, zone, {"inventory": ["2026-12-30..2027-01-02", "sun"]})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("12:00-13:00", ["03-02 12:00", "03-08 12:59"], ["03-02 11:59", "03-02 13:00"]),
        ("22:00-06:00", ["03-02 22:00", "03-02 05:59"], ["03-02 06:00", "03-02 21:59"]),
        ("fri 22:00-06:00", ["03-06 23:00", "03-07 05:00"], ["03-06 05:00", "03-07 23:00"]),
        ("sat", ["03-07 00:00", "03-07 23:59"], ["03-06 23:59", "03-08 00:00"]),
        ("sat-mon", ["03-07 12:00", "03-08 12:00", "03-02 12:00"], ["03-03 00:00", "03-06 12:00"]),
        ("Mon,wed", ["03-02 12:00", "03-04 12:00"], ["03-03 12:00"]),
        ("mon-fri  12:00-13:00", ["03-06 12:30"], ["03-07 12:30", "03-06 13:30"]),
        ("2026-03-04", ["03-04 00:00", "03-04 23:59"], ["03-03 23:59", "03-05 00:00"]),
        ("2026-03-04..2026-03-06", ["03-04 00:00", "03-06 23:59"], ["03-07 00:00"]),
        ("2026-03-04 18:00-24:00", ["03-04 18:00", "03-04 23:59"], ["03-05 00:00", "03-04 17:59"]),
        ("2026-03-04 18:00-02:00", ["03-04 18:00", "03-05 01:59"], ["03-04 01:00", "03-05 18:00"]),
    ],
)
def test_a_window_holds_what_it_says(text: str, inside: list[str], outside: list[str]) -> None:
    window = read_window(text)
    assert [moment for moment in inside if not window.holds(wall(moment))] == []
    assert [moment for moment in outside if window.holds(wall(moment))] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "allowed are"),
        ("noon", "allowed are"),
        ("sat-", "allowed are"),
        ("8:00-9:00", "allowed are"),
        ("24:00-25:00", "times go from 00:00 to 24:00"),
        ("12:60-13:00", "times go from 00:00 to 24:00"),
        ("12:00-12:00", "a whole day is 00:00-24:00"),
        ("12:00-13:00 sat", "days come before times"),
        ("sat sun", "allowed are"),
        ("2026-02-30", "day"),
        ("2026-03-06..2026-03-04", "the last date is before the first"),
    ],
)
def test_what_is_no_window_is_refused(text: str, words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        read_window(text)


def test_the_operators_windows_go_by_their_name() -> None:
    found = blackout("blackout.inventory", "12:00-13:00")
    assert [window.text for window in found.windows] == ["2026-12-30..2027-01-02", "sun", "12:00-13:00"]
    assert blackout_of([], BERLIN, {}) is None


def test_a_name_that_the_operator_has_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(ScheduleError, match=r"no blackout is called 'inventery' .* did you mean"):
        blackout("blackout.inventery")


def hours_without_runs(day: date, text: str) -> float:
    """Return how many real hours of a day in Berlin lie in a window."""
    start = datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC)
    quarters = [start + timedelta(minutes=15 * n) for n in range(4 * 26)]
    of_day = [one for one in quarters if one.astimezone(BERLIN).date() == day]
    return sum(blackout(text).window_at(one) is not None for one in of_day) / 4


def test_a_window_is_as_long_as_the_night_is() -> None:
    assert hours_without_runs(date(2026, 3, 28), "01:00-05:00") == 4
    assert hours_without_runs(date(2026, 3, 29), "01:00-05:00") == 3
    assert hours_without_runs(date(2026, 10, 25), "01:00-05:00") == 5
    assert hours_without_runs(date(2026, 10, 25), "02:00-03:00") == 2
    assert hours_without_runs(date(2026, 3, 29), "02:00-03:00") == 0


minutes = st.integers(0, 24 * 60 - 1)


def shown(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


@given(start=minutes, length=st.integers(1, 24 * 60 - 1), days=st.sets(st.integers(0, 6), min_size=1))
def test_a_week_has_as_many_minutes_in_a_window_as_it_says(start: int, length: int, days: set[int]) -> None:
    names = ",".join(WEEKDAYS[day] for day in days)
    window = read_window(f"{names} {shown(start)}-{shown(start + length)}")
    week = [wall("03-02 00:00") + timedelta(minutes=minute) for minute in range(7 * 24 * 60)]
    assert sum(map(window.holds, week)) == length * len(days)
    begins = [wall("03-02 00:00") + timedelta(days=day, minutes=start) for day in days]
    assert all(map(window.holds, begins))
    assert all(window.holds(moment + timedelta(minutes=length - 1)) for moment in begins)


@given(
    moment=st.integers(0, 15 * 366 * 24 * 60).map(lambda minute: START + timedelta(minutes=minute)),
    zone=st.sampled_from(ZONES),
    start=minutes,
    length=st.integers(1, 24 * 60 - 1),
)
def test_every_instant_lies_in_a_window_or_in_its_complement(
    moment: datetime, zone: str, start: int, length: int
) -> None:
    one, other = shown(start), shown(start + length)
    found = [blackout(f"{one}-{other}", zone=ZoneInfo(zone)), blackout(f"{other}-{one}", zone=ZoneInfo(zone))]
    assert sum(half.window_at(moment) is not None for half in found) == 1
