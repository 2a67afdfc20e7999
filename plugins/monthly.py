"""The schedule `monthly`: days of a month that no cron line can name, such as "last friday 17:00"."""

import calendar
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from moontide import Recurring, ScheduleContext, ScheduleKind, hookimpl, parse_moment

ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = (*WEEKDAYS, "day", "workday")

#: Days that one job may name.
MOST = 50
#: A fifth Monday comes several times a year; what does not come in so many months never does.
MONTHS = 24

_DAY = re.compile(r"(\w+) +(\w+)(?: +(\d{1,2}):(\d\d)(?::(\d\d))?)?", re.ASCII)
_ALLOWED = (
    f"must be {', '.join(ORDINALS)}, then {', '.join(DAYS)}, then a time if it is not midnight, "
    'such as "last friday 17:00"; or a list of these'
)


@dataclass(frozen=True, slots=True)
class Day:
    """One day of each month, and the time on it.

    Attributes:
        text: as it was written, blanks tidied.
        which: 0 for the first one, -1 for the last one.
        kind: a weekday, "day", or "workday" for Monday to Friday.
    """

    text: str
    which: int
    kind: str
    at: time

    def in_month(self, year: int, month: int) -> datetime | None:
        """Return the moment on the wall clock in this month, or None: not each has a fifth Friday."""
        days = [day for day in _days_of(year, month) if self._fits(day)]
        if not -len(days) <= self.which < len(days):
            return None
        return datetime.combine(days[self.which], self.at)

    def _fits(self, day: date) -> bool:
        if self.kind == "workday":
            return day.weekday() < 5
        return self.kind == "day" or WEEKDAYS[day.weekday()] == self.kind


def _days_of(year: int, month: int) -> Iterator[date]:
    for number in range(1, calendar.monthrange(year, month)[1] + 1):
        yield date(year, month, number)


@dataclass(frozen=True, slots=True)
class Monthly(Recurring):
    """Due on some days of each month, by the wall clock of a time zone."""

    days: tuple[Day, ...]
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """Return the first due time later than `moment`.

        A time that a change of the clocks leaves out is due right after the gap, one that comes twice the
        first time.
        """
        found = [due for day in self.days if (due := self._after(day, moment)) is not None]
        return min(found, default=None)

    def _after(self, day: Day, moment: datetime) -> datetime | None:
        # The month before as well: a gap at its end moves what is due into the next one.
        start = moment.astimezone(self.zone).date().replace(day=1) - timedelta(days=1)
        for month in range(start.month - 1, start.month + MONTHS):
            year = start.year + month // 12
            if year >= MAXYEAR:
                return None
            wall = day.in_month(year, month % 12 + 1)
            due = None if wall is None else parse_moment(wall.isoformat(), self.zone)
            if due is not None and due > moment:
                return due
        return None

    def words(self) -> str:
        """Return the days as they were written, and the time zone."""
        return f"monthly {', '.join(day.text for day in self.days)} ({self.zone.key})"


def parse_days(value: Any) -> list[str]:
    """Return the days as they were written, blanks tidied.

    Raises:
        ValueError: it is no day, or no list of 1 to 50.
    """
    texts = value if isinstance(value, list) else [value]
    if not 1 <= len(texts) <= MOST:
        raise ValueError(f"{_ALLOWED} (at most {MOST})")
    return [parse_day(text).text for text in texts]


def parse_day(text: Any) -> Day:
    """Return one day with its time.

    Raises:
        ValueError: it is none.
    """
    tidy = " ".join(text.lower().split()) if isinstance(text, str) else ""
    match = _DAY.fullmatch(tidy)
    if match is None or match[1] not in ORDINALS or match[2] not in DAYS:
        raise ValueError(_ALLOWED)
    try:
        at = time(int(match[3] or 0), int(match[4] or 0), int(match[5] or 0))
    except ValueError as error:
        raise ValueError(_ALLOWED) from error
    return Day(tidy, ORDINALS[match[1]], match[2], at)


def schedules(value: list[str], context: ScheduleContext) -> Iterable[Monthly]:
    """Return one schedule for all days."""
    return [Monthly(tuple(map(parse_day, value)), context.zone)]


@hookimpl
def moontide_schedule_kinds() -> list[ScheduleKind]:
    """Return the schedule `monthly`."""
    return [
        ScheduleKind(
            name="monthly",
            parse=parse_days,
            schedules=schedules,
            help="Runs the job on a day of each month that no cron line can name.",
            example='"last friday 17:00"',
        )
    ]
