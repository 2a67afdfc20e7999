"""What a cron line allows: its fields as sets of numbers, and the wall times that they let through.

Wall times are naive datetimes here: what a clock on the wall shows. `engine.times.schedule` turns them into
instants.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from engine.errors import ScheduleError

EVERY_HOUR = (1 << 24) - 1


@dataclass(frozen=True, slots=True)
class WallTimes:
    """The wall times that a cron line allows; each field is a set of numbers, one bit for each.

    Attributes:
        weekdays: bit 0 is Sunday.
        days_given, weekdays_given: whether the field is anything but `*` or `?`; if both are, a day that
            matches either is allowed.
        repeats: due in both hours when one comes twice.
    """

    seconds: int
    minutes: int
    hours: int
    days: int
    months: int
    weekdays: int
    days_given: bool
    weekdays_given: bool
    repeats: bool

    @property
    def every_hour(self) -> bool:
        """Whether no hour of the day is left out."""
        return self.hours == EVERY_HOUR

    def after(self, wall: datetime) -> datetime | None:
        """Return the first allowed wall time (naive) after `wall`; None if there is none."""
        if self._has_day(wall) and (time := self._time_after(wall)) is not None:
            return datetime(wall.year, wall.month, wall.day, *time)  # noqa: DTZ001
        day = self._day_after(wall)
        if day is None:
            return None
        return datetime(*day, _lowest(self.hours), _lowest(self.minutes), _lowest(self.seconds))  # noqa: DTZ001

    def count(self, after: datetime, until: datetime) -> int:
        """Return how many allowed wall times lie in (after, until]; the cost grows by the month."""
        if until <= after:
            return 0
        each_day = self.hours.bit_count() * self.minutes.bit_count() * self.seconds.bit_count()
        whole_days = sum(days.bit_count() for days in self._days_from(after, until))
        return whole_days * each_day + self._count_until(until) - self._count_until(after)

    def ever(self) -> bool:
        """Return whether any day of any year is allowed."""
        if self.weekdays_given:
            return True
        return any(self.months >> month & 1 and self.days & _month(2024, month)[0] for month in range(1, 13))

    def _time_after(self, wall: datetime) -> tuple[int, int, int] | None:
        """Return the first allowed time of day after that of `wall`."""
        hour, minute = wall.hour, wall.minute
        if self.hours >> hour & 1:
            if self.minutes >> minute & 1:
                second = _next_bit(self.seconds, wall.second + 1)
                if second is not None:
                    return hour, minute, second
            next_minute = _next_bit(self.minutes, minute + 1)
            if next_minute is not None:
                return hour, next_minute, _lowest(self.seconds)
        next_hour = _next_bit(self.hours, hour + 1)
        if next_hour is None:
            return None
        return next_hour, _lowest(self.minutes), _lowest(self.seconds)

    def _count_until(self, wall: datetime) -> int:
        """Return how many allowed times its day has had, its own time included."""
        if not self._has_day(wall):
            return 0
        count = _below(self.hours, wall.hour) * self.minutes.bit_count() * self.seconds.bit_count()
        if self.hours >> wall.hour & 1:
            count += _below(self.minutes, wall.minute) * self.seconds.bit_count()
            if self.minutes >> wall.minute & 1:
                count += _below(self.seconds, wall.second + 1)
        return count

    def _days_from(self, start: datetime, end: datetime) -> Iterator[int]:
        """Yield the allowed days of each month, from the day of `start` to the one before that of `end`."""
        for index in range(start.year * 12 + start.month - 1, end.year * 12 + end.month):
            year, month = index // 12, index % 12 + 1
            days = self._days_in(year, month) if self.months >> month & 1 else 0
            if (year, month) == (start.year, start.month):
                days &= -1 << start.day
            if (year, month) == (end.year, end.month):
                days &= (1 << end.day) - 1
            yield days

    def _has_day(self, wall: datetime) -> bool:
        return bool(self.months >> wall.month & 1 and self._days_in(wall.year, wall.month) >> wall.day & 1)

    def _day_after(self, wall: datetime) -> tuple[int, int, int] | None:
        year, month, start = wall.year, wall.month, wall.day + 1
        while year <= min(wall.year + 8, 9998):
            if self.months >> month & 1:
                day = _next_bit(self._days_in(year, month), start)
                if day is not None:
                    return year, month, day
            start = 1
            following = _next_bit(self.months, month + 1)
            if following is None:
                year, following = year + 1, _lowest(self.months)
            month = following
        return None

    def _days_in(self, year: int, month: int) -> int:
        """Return the allowed days of a month; bit 1 is the first."""
        every, first = _month(year, month)
        if not self.weekdays_given:
            return self.days & every
        of_week = (self.weekdays * _SIX_WEEKS >> first << 1) & every
        return (self.days & every) | of_week if self.days_given else of_week


#: Repeats a set of weekdays over six weeks, more than any month touches.
_SIX_WEEKS = sum(1 << 7 * week for week in range(6))


@lru_cache(maxsize=256)
def _month(year: int, month: int) -> tuple[int, int]:
    """Return the days of a month, one bit for each, and the weekday of its first; 0 is Sunday."""
    first, days = calendar.monthrange(year, month)
    return (1 << days + 1) - 2, (first + 1) % 7


def _next_bit(numbers: int, start: int) -> int | None:
    rest = numbers >> start
    return start + _lowest(rest) if rest else None


def _below(numbers: int, limit: int) -> int:
    """Return how many of the numbers are smaller than `limit`."""
    return (numbers & (1 << limit) - 1).bit_count()


def _lowest(numbers: int) -> int:
    return (numbers & -numbers).bit_length() - 1


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a cron line: its name, its numbers, and the names that some numbers have."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    blank: bool = False

    @property
    def allowed(self) -> str:
        """What may stand here, for error messages."""
        if not self.names:
            return f"{self.low}-{self.high}"
        return f"{self.low}-{self.high} or {self.names[0]}-{self.names[-1]}"


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day-of-month", 1, 31, blank=True),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 0, 7, _WEEKDAYS, blank=True),
)
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ITEM = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>[0-9]{1,4}))?", re.ASCII)
_WEEK = (1 << 7) - 1


def line_of_macro(macro: str) -> str:
    """Return the five fields that `@daily` and the like stand for.

    Raises:
        ScheduleError: there is no such word.
    """
    try:
        return _MACROS[macro.lower()]
    except KeyError:
        known = " ".join(_MACROS)
        raise ScheduleError(f"cron {macro!r}: allowed are {known} and @every 1h30m") from None


def read_cron_line(line: str) -> WallTimes:
    """Return the wall times that a line of five or six fields allows.

    Raises:
        ScheduleError: names the field and what is allowed; or the line can never match.
    """
    texts = line.split(" ")
    if len(texts) == 5:
        texts.insert(0, "0")
    if len(texts) != 6:
        raise ScheduleError(
            f"cron line {line!r} has {len([text for text in texts if text])} fields; write 5 (minute hour "
            "day-of-month month day-of-week), or 6 with the second in front"
        )
    seconds, minutes, hours, days, months, weekdays = map(_numbers, _FIELDS, texts)
    times = WallTimes(
        seconds=seconds,
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=weekdays,
        days_given=_is_given(texts[3]),
        weekdays_given=_is_given(texts[5]),
        repeats=texts[2].startswith("*") or hours == EVERY_HOUR,
    )
    if not times.ever():
        raise ScheduleError(f"cron line {line!r} can never match: no such day in any of its months")
    return times


def _is_given(text: str) -> bool:
    return text not in ("*", "?", "*/1")


def _numbers(field: _Field, text: str) -> int:
    """Return the numbers that a field allows, one bit for each."""
    if text == "?" and field.blank:
        text = "*"
    numbers = 0
    for item in text.split(","):
        numbers |= _numbers_of_item(field, item)
    if field.names is _WEEKDAYS:
        numbers = (numbers | numbers >> 7) & _WEEK
    return numbers


def _numbers_of_item(field: _Field, item: str) -> int:
    match = _ITEM.fullmatch(item)
    if match is None or (match["first"] == "*" and match["last"]):
        raise _refused(field, item)
    first, last = _bounds(field, item, match["first"], match["last"], bool(match["step"]))
    step = _step(field, item, match["step"])
    if first > last:
        raise _refused(field, item, "a range goes from the lower to the higher; ")
    return sum(1 << number for number in range(first, last + 1, step))


def _bounds(field: _Field, item: str, first: str, last: str | None, stepped: bool) -> tuple[int, int]:
    top = 6 if field.names is _WEEKDAYS else field.high
    if first == "*":
        return field.low, top
    start = _number(field, item, first)
    if last is None:
        return start, max(top, start) if stepped else start
    end = _number(field, item, last)
    if end == 0 < start and last.upper() == "SUN":
        end = 7
    return start, end


def _number(field: _Field, item: str, text: str) -> int:
    if text.upper() in field.names:
        return field.names.index(text.upper()) + field.low
    if not (text.isdigit() and len(text) <= 4 and field.low <= int(text) <= field.high):
        raise _refused(field, item)
    return int(text)


def _step(field: _Field, item: str, text: str | None) -> int:
    if text is None:
        return 1
    if not 1 <= int(text) <= field.high:
        raise _refused(field, item, f"a step of 1-{field.high}; ")
    return int(text)


def _refused(field: _Field, item: str, why: str = "") -> ScheduleError:
    return ScheduleError(f"cron {field.name} field {item!r}: {why}{field.allowed} allowed")
