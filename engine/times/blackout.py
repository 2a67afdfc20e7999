"""Blackouts: windows of time in which due times of a job's schedule make no runs. Pure.

A window speaks of the clock on the wall: a due time lies in it if the wall clock of the job's time zone
shows a time of the window at that instant. So a change of the clocks makes a window as much longer or
shorter as it makes the night.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.errors import ScheduleError

#: How windows of the operator's are named in a job file.
NAMED = "blackout."

MINUTES_OF_DAY = 24 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALLOWED = (
    'times such as "22:00-06:00", days such as "sat" or "mon-fri", dates such as "2026-12-24..2026-12-26", '
    'or days or dates with times, such as "mon-fri 12:00-13:00"'
)

_TIMES = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_DATES = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Some hours of some days; hours over midnight belong to the day on which they begin.

    Attributes:
        text: as it was written, blanks tidied.
        weekdays: 0 is Monday; None for each day.
        dates: the first and the last date; None for no bounds.
        start, end: minutes of the day; the end is not included, and one before the start is on the next day.
    """

    text: str
    weekdays: frozenset[int] | None = None
    dates: tuple[date, date] | None = None
    start: int = 0
    end: int = MINUTES_OF_DAY

    def holds(self, wall: datetime) -> bool:
        """Return whether a wall time (naive) lies in the window."""
        minute = 60 * wall.hour + wall.minute
        if self.start < self.end:
            return self.start <= minute < self.end and self._has(wall.date())
        if minute >= self.start:
            return self._has(wall.date())
        return minute < self.end and wall.date() > date.min and self._has(wall.date() - _DAY)

    def _has(self, day: date) -> bool:
        if self.dates is not None and not self.dates[0] <= day <= self.dates[1]:
            return False
        return self.weekdays is None or day.weekday() in self.weekdays


@dataclass(frozen=True, slots=True)
class Blackout:
    """The windows of one job, on the wall clock of its zone."""

    windows: tuple[Window, ...]
    zone: ZoneInfo

    def window_at(self, moment: datetime) -> Window | None:
        """Return the first window in which an instant (aware) lies, or None."""
        wall = moment.astimezone(self.zone).replace(tzinfo=None)
        return next((window for window in self.windows if window.holds(wall)), None)


def read_window(text: str) -> Window:
    """Return a window.

    Args:
        text: days or dates, times, or both in this order.

    Raises:
        ScheduleError: says what is wrong and what is allowed.
    """
    tidy = " ".join(text.split()).lower()
    first, _, second = tidy.partition(" ")
    if match := _TIMES.fullmatch(first):
        if second:
            raise ScheduleError(f"{text!r} is no window: days come before times; allowed are {ALLOWED}")
        return Window(tidy, None, None, *_minutes(tidy, match))
    weekdays, dates = _days(text, first)
    if not second:
        return Window(tidy, weekdays, dates)
    match = _TIMES.fullmatch(second)
    if match is None:
        raise ScheduleError(f"{text!r} is no window; allowed are {ALLOWED}")
    return Window(tidy, weekdays, dates, *_minutes(tidy, match))


def blackout_of(texts: Sequence[str], zone: ZoneInfo, named: Mapping[str, Sequence[str]]) -> Blackout | None:
    """Return the blackout that a job's setting asks for, or None for none.

    Args:
        texts: windows, or names of the operator's ones such as "blackout.inventory".
        named: the operator's windows by their names.

    Raises:
        ScheduleError: the operator has none of that name.
    """
    windows = tuple(read_window(text) for text in _resolved(texts, named))
    return Blackout(windows, zone) if windows else None


def _resolved(texts: Iterable[str], named: Mapping[str, Sequence[str]]) -> Iterable[str]:
    for text in texts:
        name = text.removeprefix(NAMED)
        if name == text:
            yield text
        elif name in named:
            yield from named[name]
        else:
            near = difflib.get_close_matches(name, named, n=1)
            hint = f"did you mean {NAMED}{near[0]}?" if near else f"there are {', '.join(named) or 'none'}"
            raise ScheduleError(f"no blackout is called {name!r} in [blackouts] of moontide.toml; {hint}")


def _days(text: str, word: str) -> tuple[frozenset[int] | None, tuple[date, date] | None]:
    if match := _DATES.fullmatch(word):
        return None, _dates(text, match)
    days: set[int] = set()
    for part in word.split(","):
        first, to, last = part.partition("-")
        last = last if to else first
        if first not in WEEKDAYS or last not in WEEKDAYS:
            raise ScheduleError(f"{text!r} is no window; allowed are {ALLOWED}")
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
        days |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    return frozenset(days), None


def _dates(text: str, match: re.Match[str]) -> tuple[date, date]:
    try:
        first = date.fromisoformat(match[1])
        last = date.fromisoformat(match[2]) if match[2] else first
    except ValueError as error:
        raise ScheduleError(f"{text!r} is no window: {error}") from error
    if last < first:
        raise ScheduleError(f"{text!r} is no window: the last date is before the first")
    return first, last


def _minutes(text: str, match: re.Match[str]) -> tuple[int, int]:
    hours, minutes = (int(match[1]), int(match[3])), (int(match[2]), int(match[4]))
    start, end = (60 * hour + minute for hour, minute in zip(hours, minutes, strict=True))
    if max(minutes) > 59 or start >= MINUTES_OF_DAY or end > MINUTES_OF_DAY:
        raise ScheduleError(f"{text!r} is no window: times go from 00:00 to 24:00")
    if start == end:
        raise ScheduleError(f"{text!r} is no window: it ends where it begins; a whole day is 00:00-24:00")
    return start, end
