"""Due times beside those of cronsim, which does as Debian's cron does, over many zones and years.

Where the two differ the engine decides otherwise on purpose. Each difference has its rule here, and for each
rule there is a choice of `dst` or another way to write the line with which both agree again:

| line                               | when clocks go forward       | when clocks go back           |
| ---------------------------------- | ---------------------------- | ----------------------------- |
| fixed hours and minutes            | the same                     | the same                      |
| hour field `*`                     | the same                     | the same                      |
| hour field `*/n`                   | ours makes up for the gap    | the same                      |
| hours fixed, minute field a star   | ours makes up for the gap    | ours takes the first hour     |
| all hours, but not written `*`     | ours takes them as `*`       | ours takes them as `*`        |

Lines with a star in the hour or minute field are compared where clocks jump by whole hours on the hour, and
not forward from midnight: elsewhere cronsim steps to times that do not exist. What the engine does there is
held against a look at every minute, in the tests of schedules.

Beside that, `*/n` in a day field: for cron a field that begins with a star is as good as not given, so that
the other day field must match too; for the engine only a star alone is.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.times.schedule import Cron, Dst, parse_cron

YEARS = st.integers(1985, 2036)
DAY = timedelta(days=1)

WINDOW = timedelta(hours=40)

ZONES = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc/"))

fixed_minutes = st.sampled_from(["0", "30", "15,45", "5-10", "59", "1,2,58"])
starred_minutes = st.sampled_from(["*", "*/7", "*/15"])
fixed_hours = st.sampled_from(["0", "1", "2", "3", "0,12", "1-3", "23", "0-22", "1-23/2", "2,22"])
days = st.sampled_from([("*", "*"), ("*", "SUN"), ("*", "1-5"), ("1-7", "*"), ("1-15", "SAT"), ("29", "1")])


@cache
def changes(zone: str, year: int) -> tuple[tuple[datetime, timedelta], ...]:
    """Return the instants of a year (UTC) at which a zone's clocks are changed, and by how much."""
    there = ZoneInfo(zone)

    def offset(at: datetime) -> timedelta:
        found = at.astimezone(there).utcoffset()
        assert found is not None
        return found

    found = []
    start = datetime(year, 1, 1, tzinfo=UTC)
    for day in range(366):
        before, after = start + day * DAY, start + (day + 1) * DAY
        if offset(before) == offset(after):
            continue
        jump = offset(after) - offset(before)
        while after - before > timedelta(seconds=1):
            middle = before + (after - before) / 2
            before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
        found.append((after.replace(microsecond=0), jump))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the clocks with nothing else around it."""

    zone: str
    at: datetime
    jump: timedelta

    @property
    def forward(self) -> bool:
        return self.jump > timedelta(0)

    @property
    def plain(self) -> bool:
        """Whether steps of an hour lead over it to times that exist."""
        wall = (self.at - timedelta(seconds=1)).astimezone(ZoneInfo(self.zone)) + timedelta(seconds=1)
        on_the_hour = wall.minute == wall.second == 0 and not self.jump % timedelta(hours=1)
        return on_the_hour and not (self.forward and wall.hour == 0)


@st.composite
def lone_changes(draw: st.DrawFn) -> Change:
    zone = draw(st.sampled_from(ZONES))
    found = changes(zone, draw(YEARS))
    assume(found)
    at, jump = draw(st.sampled_from(found))
    near = [other for other, _ in found if abs(other - at) < WINDOW + 2 * DAY]
    assume(len(near) == 1)
    return Change(zone, at, jump)


def line_of(minute: str, hour: str, day: tuple[str, str]) -> str:
    return f"{minute} {hour} {day[0]} * {day[1]}"


def ours(line: str, change: Change, dst: Dst) -> list[datetime]:
    schedule = parse_cron(line, change.zone, dst)
    assert isinstance(schedule, Cron)
    found = []
    due = schedule.first(change.at - WINDOW - timedelta(seconds=1))
    while due is not None and due < change.at + WINDOW:
        found.append(due)
        due = schedule.following(due, due)
    return found


def theirs(line: str, change: Change) -> list[datetime]:
    found = []
    for due in CronSim(line, (change.at - WINDOW - timedelta(seconds=1)).astimezone(ZoneInfo(change.zone))):
        if due.astimezone(UTC) >= change.at + WINDOW:
            break
        found.append(due.astimezone(UTC))
    return found


@settings(deadline=None)
@given(fixed_minutes, fixed_hours, days, lone_changes())
def test_fixed_times_are_due_as_with_cron(
    minute: str, hour: str, day: tuple[str, str], change: Change
) -> None:
    line = line_of(minute, hour, day)
    assert ours(line, change, Dst.ONCE) == theirs(line, change)


@settings(deadline=None)
@given(st.one_of(fixed_minutes, starred_minutes), days, lone_changes())
def test_a_line_on_every_hour_is_due_as_with_cron(minute: str, day: tuple[str, str], change: Change) -> None:
    assume(change.plain)
    line = line_of(minute, "*", day)
    assert ours(line, change, Dst.ONCE) == theirs(line, change)


@settings(deadline=None)
@given(
    st.one_of(fixed_minutes, starred_minutes), st.sampled_from(["*/2", "*/3", "*/5"]), days, lone_changes()
)
def test_steps_of_hours_differ_in_that_the_gap_is_made_up_for(
    minute: str, hour: str, day: tuple[str, str], change: Change
) -> None:
    assume(change.plain)
    line = line_of(minute, hour, day)
    assert ours(line, change, Dst.SKIP if change.forward else Dst.ONCE) == theirs(line, change)
    made_up = set(ours(line, change, Dst.ONCE)) - set(theirs(line, change))
    assert made_up <= ({change.at} if change.forward else set())


@settings(deadline=None)
@given(starred_minutes, fixed_hours, days, lone_changes())
def test_starred_minutes_of_fixed_hours_differ_in_that_no_wall_time_is_lost_or_doubled(
    minute: str, hour: str, day: tuple[str, str], change: Change
) -> None:
    assume(change.plain)
    line = line_of(minute, hour, day)
    assert ours(line, change, Dst.SKIP if change.forward else Dst.BOTH) == theirs(line, change)
    once, cron = set(ours(line, change, Dst.ONCE)), set(theirs(line, change))
    if change.forward:
        assert once - cron <= {change.at}
        assert cron <= once
    else:
        assert once <= cron
        assert all(change.at <= due < change.at - change.jump for due in cron - once)


@settings(deadline=None)
@given(fixed_minutes, st.sampled_from(["0-23", "0-23/1", "0-11,12-23"]), days, lone_changes())
def test_all_hours_differ_in_that_it_does_not_matter_how_they_are_written(
    minute: str, hour: str, day: tuple[str, str], change: Change
) -> None:
    assert ours(line_of(minute, hour, day), change, Dst.ONCE) == ours(
        line_of(minute, "*", day), change, Dst.ONCE
    )


@settings(deadline=None)
@given(
    st.one_of(fixed_minutes, starred_minutes),
    st.sampled_from(["*", "*/2", "3", "0-22"]),
    st.sampled_from(["1", "15", "31", "1-7"]),
    st.sampled_from(["*", "2", "JAN-MAR", "*/5", "DEC"]),
    st.sampled_from(["*", "0", "7", "FRI", "1-5"]),
    st.integers(0, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_without_changes_of_clocks_all_lines_are_due_as_with_cron(
    minute: str, hour: str, day: str, month: str, weekday: str, now: datetime
) -> None:
    assume((day, month) != ("31", "2") or weekday != "*")
    line = f"{minute} {hour} {day} {month} {weekday}"
    assert parse_cron(line).first(now) == next(CronSim(line, now))


def test_a_stepped_day_field_differs_in_that_either_day_field_matches() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    both = next(CronSim("0 0 */2 * MON", start))
    either = parse_cron("0 0 */2 * MON").first(start)
    assert both == datetime(2026, 3, 9, tzinfo=UTC), "a Monday with an odd number"
    assert either == datetime(2026, 3, 2, tzinfo=UTC), "a Monday"
