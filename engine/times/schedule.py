"""What makes a job due: an interval or a cron line. Pure questions about instants.

Every datetime that goes in or comes out is aware and in UTC; only the fields of a cron line are read in
the time zone of their schedule. This module can be read as the specification of when jobs run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from engine.errors import ScheduleError
from engine.times.cronline import WallTimes, line_of_macro, read_cron_line
from engine.times.quantities import compact_duration, parse_duration

SHORTEST_INTERVAL_SECONDS = 1.0
LONGEST_INTERVAL_SECONDS = 36_500 * 86_400.0

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_WEEK = 7 * _DAY
#: How far ahead a zone is looked through for a change of its clocks, and in what steps.
_STEADY, _CLOSELY = 28 * _DAY, 2 * _DAY


class Schedule(Protocol):
    """Answers when a job is due."""

    def first(self, now: datetime) -> datetime | None:
        """Return the first due time of a job that is armed at `now`; always after `now`."""

    def following(self, due: datetime, now: datetime) -> datetime | None:
        """Return the first due time after `due` that is still to come at `now`."""

    def missed(self, due: datetime, now: datetime) -> int:
        """Return how many due times lie in [due, now], where `due` is one; it costs no more for many."""

    def latest(self, due: datetime, now: datetime) -> datetime:
        """Return the last due time in [due, now], where `due` is one and not after `now`."""

    def words(self) -> str:
        """Return the schedule for people; two schedules with the same words are due alike."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Due every so many seconds, counted from due time to due time."""

    seconds: float

    def first(self, now: datetime) -> datetime | None:
        return _plus(now, self._step)

    def following(self, due: datetime, now: datetime) -> datetime | None:
        passed = max(0, (now - due) // self._step)
        return _plus(due, (passed + 1) * self._step)

    def missed(self, due: datetime, now: datetime) -> int:
        return 0 if now < due else (now - due) // self._step + 1

    def latest(self, due: datetime, now: datetime) -> datetime:
        return due + ((now - due) // self._step) * self._step

    def words(self) -> str:
        return f"every {compact_duration(self.seconds)}"

    @property
    def _step(self) -> timedelta:
        return timedelta(seconds=self.seconds)


class Dst(StrEnum):
    """What a change of the clocks means for a cron line that is not on every hour.

    `once`: a time in the gap is made up for right after it, one that comes twice is due the first time.
    `skip`: a time in the gap is left out. `both`: as once, but one that comes twice is due twice.
    """

    ONCE = "once"
    SKIP = "skip"
    BOTH = "both"


@dataclass(slots=True)
class _Found:
    """What a cron line was asked before. Threads may ask at once: each answer is put in its place whole.

    Attributes:
        stretch: a moment, and the first due time after it: it is that of each moment between the two.
        words: the line for people.
    """

    stretch: tuple[datetime, datetime | None] | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Cron:
    """Due when the clock on the wall of a time zone matches a cron line.

    When clocks go forward, a time that the wall clock never shows is due once, at the first instant after
    the gap. When they go back, a time that is shown twice is due the first time only. A line on every
    hour (hour field `*`) counts real hours instead: nothing is due for the hour that does not exist, and
    both hours of the same name have their due times. `*/n` hours are due in both, too.

    Attributes:
        line: as it was written, blanks tidied.
        zone: whose wall clock is read.
        times: the fields, as sets of allowed numbers.
        dst: what a change of the clocks means instead.
    """

    line: str
    zone: ZoneInfo
    times: WallTimes
    dst: Dst = Dst.ONCE
    _found: _Found = field(init=False, compare=False, repr=False, default_factory=_Found)

    def first(self, now: datetime) -> datetime | None:
        # Jobs with the same line share one schedule, and most of them ask for the same due time.
        stretch = self._found.stretch
        if stretch is not None:
            since, due = stretch
            if since <= now and (due is None or now < due):
                return due
        due = self.after(now)
        self._found.stretch = now, due
        return due

    def following(self, due: datetime, now: datetime) -> datetime | None:
        return self.first(max(due, now))

    def missed(self, due: datetime, now: datetime) -> int:
        if now < due:
            return 0
        count, offset = 1, self._offset(due)
        wall = _wall(due, offset)
        while (change := _change_between(self.zone, due, now, _WEEK)) is not None:
            before, offset = offset, self._offset(change)
            count += self.times.count(wall, _wall(change, before) - _SECOND)
            count += self._made_up(change, before, offset)
            wall = self._resume(change, before, offset)
            due = change
        return count + self.times.count(wall, _wall(now, offset))

    def latest(self, due: datetime, now: datetime) -> datetime:
        known, too_late = due, now
        while too_late - known > _SECOND:
            middle = known + (too_late - known) / 2
            found = self.after(middle)
            if found is not None and found <= now:
                known = found
            else:
                too_late = middle
        last = self.after(known)
        return known if last is None or last > now else last

    def words(self) -> str:
        if not self._found.words:
            dst = "" if self.dst is Dst.ONCE else f", dst {self.dst.value}"
            self._found.words = f"cron {self.line} ({self.zone.key}{dst})"
        return self._found.words

    @property
    def _repeats(self) -> bool:
        return self.times.repeats or self.dst is Dst.BOTH

    @property
    def _makes_up(self) -> bool:
        return not self.times.every_hour and self.dst is not Dst.SKIP

    def after(self, moment: datetime) -> datetime | None:
        """Return the first due time strictly after `moment`.

        The search goes through stretches of time in which the zone's offset is the same; within one,
        wall time and real time run alike.
        """
        try:
            return self._soon(moment) or self._search(moment)
        except OverflowError:
            return None

    def _soon(self, moment: datetime) -> datetime | None:
        """Return the first due time after `moment` if the clocks are not changed until then."""
        steady = _steady(self.zone, moment)
        if steady is None:
            return None
        match = self.times.after(_wall(moment, steady.offset))
        if match is None:
            return None
        instant = (match - steady.offset).replace(tzinfo=UTC)
        return instant if instant < steady.until else None

    def _search(self, moment: datetime) -> datetime | None:
        offset = self._offset(moment)
        wall = self._start(moment, offset)
        while (match := self.times.after(wall)) is not None:
            instant = (match - offset).replace(tzinfo=UTC)
            near = min(instant, moment + 2 * _DAY)
            if self._offset(near) != offset:
                moment = _change(self.zone, moment, near)
                before, offset = offset, self._offset(moment)
                if self._is_skipped(match, moment, before, offset):
                    return moment
                wall = self._resume(moment, before, offset)
            elif near == instant:
                return instant
            else:
                # Nothing is due for days, so what the clocks do meanwhile does not matter.
                moment = instant - 2 * _DAY
                offset = self._offset(moment)
                wall = max(wall, _wall(moment, offset))
        return None

    def _is_skipped(self, match: datetime, change: datetime, before: timedelta, after: timedelta) -> bool:
        """Return whether a wall time falls into a gap and is due right after it."""
        return before < after and match < _wall(change, after) and self._makes_up

    def _made_up(self, change: datetime, before: timedelta, after: timedelta) -> int:
        """Return 1 if something is due at a change of the clocks only because of a gap, otherwise 0."""
        gap_end = _wall(change, after) - _SECOND
        skipped = self.times.count(_wall(change, before) - _SECOND, gap_end)
        due_anyway = self.times.count(gap_end, gap_end + _SECOND)
        return int(bool(skipped) and not due_anyway and self._makes_up)

    def _resume(self, change: datetime, before: timedelta, after: timedelta) -> datetime:
        """Return the wall time after which to look on once the clocks were changed."""
        wall = _wall(change, after)
        if not self._repeats:
            wall = max(wall, _wall(change, before))
        return wall - _SECOND

    def _start(self, moment: datetime, offset: timedelta) -> datetime:
        """Return the wall time after which to look: past an hour that has already had its due times."""
        wall = _wall(moment, offset)
        if self._repeats or not moment.astimezone(self.zone).fold:
            return wall
        change = _change(self.zone, moment - _DAY, moment)
        return max(wall, _wall(change, self._offset(change - _SECOND)) - _SECOND)

    def _offset(self, moment: datetime) -> timedelta:
        return _offset(self.zone, moment)


@dataclass(frozen=True, slots=True)
class _Steady:
    """A stretch of time in which a zone's clocks are not changed, and show no hour for the second time."""

    since: datetime
    until: datetime
    offset: timedelta


#: The stretch of each zone that was asked for last: most questions are about the days to come.
_steadies: dict[ZoneInfo, _Steady] = {}


def _steady(zone: ZoneInfo, moment: datetime) -> _Steady | None:
    """Return the stretch around a moment, or None in an hour that is shown for the second time."""
    known = _steadies.get(zone)
    if known is not None and known.since <= moment < known.until:
        return known
    if moment.astimezone(zone).fold:
        return None
    horizon = moment + _STEADY
    until = _change_between(zone, moment, horizon, _CLOSELY) or horizon
    known = _steadies[zone] = _Steady(moment, until, _offset(zone, moment))
    return known


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _change_between(zone: ZoneInfo, start: datetime, end: datetime, step: timedelta) -> datetime | None:
    """Return the first change of the clocks in (start, end]; one undone within a step is overlooked."""
    offset = _offset(zone, start)
    while start < end:
        later = min(start + step, end)
        if _offset(zone, later) != offset:
            return _change(zone, start, later)
        start = later
    return None


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the instant in (before, after] from which the offset is no longer that of `before`."""
    offset = _offset(zone, before)
    early, late = int(before.timestamp()), int(after.timestamp())
    while late - early > 1:
        middle = (early + late) // 2
        if _offset(zone, datetime.fromtimestamp(middle, UTC)) == offset:
            early = middle
        else:
            late = middle
    return datetime.fromtimestamp(late, UTC)


def parse_interval(value: object) -> Interval:
    """Return the interval that `every = ...` asks for.

    Args:
        value: seconds, or text such as `"1h30m"`.

    Raises:
        ScheduleError: not a duration, or outside 1 s to 36500 d.
    """
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise ScheduleError(str(error)) from error
    if not SHORTEST_INTERVAL_SECONDS <= seconds <= LONGEST_INTERVAL_SECONDS:
        raise ScheduleError("an interval must be from 1s to 36500d")
    return Interval(round(seconds, 6))


# Jobs with the same line share one schedule.
@lru_cache(maxsize=8192)
def parse_cron(line: str, timezone: str = "UTC", dst: Dst = Dst.ONCE) -> Schedule:
    """Return the schedule that a cron line asks for.

    Args:
        line: five fields (minute, hour, day of month, month, day of week), six with the second in front,
            or one of @yearly @annually @monthly @weekly @daily @midnight @hourly, or `@every 1h30m`, which
            is an interval. A field is `*`, a number, a name (JAN, MON), a range `a-b`, a step `*/n`,
            `a/n` or `a-b/n`, or several of these with commas; the day fields may be `?`, which is `*`.
        timezone: an IANA name such as `Europe/Berlin`.
        dst: what a change of the clocks means.

    Raises:
        ScheduleError: names the field, what stands there and what is allowed; also for a line that no
            day of any year matches.
    """
    zone = parse_timezone(timezone)
    tidy = " ".join(line.split())
    if tidy.startswith("@"):
        word, _, argument = tidy.partition(" ")
        if word.lower() == "@every":
            return parse_interval(argument)
        return Cron(tidy.lower(), zone, read_cron_line(line_of_macro(tidy)), dst)
    return Cron(tidy, zone, read_cron_line(tidy), dst)


def parse_timezone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        ScheduleError: no such zone.
    """
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ScheduleError(
            f"there is no time zone {name!r}; write an IANA name such as UTC or Europe/Berlin"
        ) from error


def _wall(moment: datetime, offset: timedelta) -> datetime:
    return moment.replace(tzinfo=None) + offset


def _plus(moment: datetime, step: timedelta) -> datetime | None:
    try:
        return moment + step
    except OverflowError:
        return None
