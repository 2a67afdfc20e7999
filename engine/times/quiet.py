"""Quiet hours: times of the week in which nobody wants to be told of alerts.

Pure. A span such as `"22:00-07:00"` goes over midnight; it belongs to the day on which it begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
MOST_SPANS = 20

_SPAN = re.compile(r"(?:(?P<days>[A-Z,\-]+) +)?(?P<from>\d\d:\d\d) *- *(?P<to>\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Some minutes of some days.

    Attributes:
        days: 0 is Monday.
        start: minutes after midnight.
        end: minutes after that same midnight; beyond 24 hours where the span goes on the next day.
    """

    days: frozenset[int]
    start: int
    end: int

    def covers(self, weekday: int, minute: int) -> bool:
        """Whether a minute of a day lies in it."""
        today = weekday in self.days and self.start <= minute < self.end
        return today or ((weekday - 1) % 7 in self.days and minute + DAY_MINUTES < self.end)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Spans of the week in one time zone."""

    spans: tuple[Span, ...]
    zone: ZoneInfo

    def covers(self, moment: datetime) -> bool:
        """Whether a moment (aware) is quiet."""
        local = moment.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return any(span.covers(local.weekday(), minute) for span in self.spans)

    def end(self, moment: datetime) -> datetime:
        """Return the first moment from this one on that is not quiet (UTC)."""
        if not self.covers(moment):
            return moment
        ends = sorted(one for one in self._ends_near(moment) if one > moment)
        return next(one for one in ends if not self.covers(one))

    def _ends_near(self, moment: datetime) -> Iterator[datetime]:
        today = moment.astimezone(self.zone).date()
        for offset in range(-2, 10):
            day = today + timedelta(days=offset)
            for span in self.spans:
                if day.weekday() in span.days:
                    yield self._at(day, span.end)

    def _at(self, day: date, minutes: int) -> datetime:
        days, minute = divmod(minutes, DAY_MINUTES)
        local = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), self.zone)
        return local.astimezone(UTC)


def read_quiet(value: object) -> list[str]:
    """Return quiet hours as they were written: a list of spans.

    Args:
        value: one text or several, such as `"22:00-07:00"` or `"SAT-SUN 00:00-24:00"`; a text may hold
            several with `;` between them.

    Raises:
        ValueError: begins with "must".
    """
    texts = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else None
    texts = [] if value == {} else texts
    if texts is None or not all(isinstance(text, str) for text in texts):
        raise ValueError('must be text such as "22:00-07:00" or "SAT-SUN 00:00-24:00", or a list of them')
    spans = [one.strip().upper() for text in texts for one in text.split(";") if one.strip()]
    if len(spans) > MOST_SPANS:
        raise ValueError(f"must hold {MOST_SPANS} spans at most")
    _check_a_moment_is_left([_span(one) for one in spans])
    return spans


@lru_cache(maxsize=256)
def quiet_hours(spans: tuple[str, ...], zone: str) -> QuietHours:
    """Return quiet hours that `read_quiet` has accepted, in a time zone."""
    return QuietHours(tuple(_span(one) for one in spans), ZoneInfo(zone))


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f'must be text such as "22:00-07:00" or "SAT-SUN 00:00-24:00", not {text[:40]!r}')
    start, end = _minutes(match["from"]), _minutes(match["to"])
    if start in (DAY_MINUTES, end):
        raise ValueError(f"must be from one time to another, not {text!r}")
    days = _days(match["days"]) if match["days"] else frozenset(range(7))
    return Span(days, start, end if end > start else end + DAY_MINUTES)


def _minutes(text: str) -> int:
    hour, minute = int(text[:2]), int(text[3:])
    if minute > 59 or hour * 60 + minute > DAY_MINUTES:
        raise ValueError(f"must be times from 00:00 to 24:00, not {text}")
    return hour * 60 + minute


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"must name days as MON-FRI or SAT,SUN, not {text}")
        begin, count = DAYS.index(first), (DAYS.index(last or first) - DAYS.index(first)) % 7 + 1
        found.update((begin + step) % 7 for step in range(count))
    return frozenset(found)


def _check_a_moment_is_left(spans: Sequence[Span]) -> None:
    quiet = {
        (day * DAY_MINUTES + minute) % WEEK_MINUTES
        for span in spans
        for day in span.days
        for minute in range(span.start, span.end)
    }
    if len(quiet) == WEEK_MINUTES:
        raise ValueError("must leave some time of the week; enabled = false switches alerts off")
