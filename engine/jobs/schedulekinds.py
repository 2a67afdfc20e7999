"""Kinds of schedules: each is a setting of job files whose value makes due times.

The engine's own kinds are `every`, `cron` and `at`; plugins add others of the same shape.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.errors import ScheduleError
from engine.jobs.jobvalues import NAMED
from engine.times.plan import dates, parse_moment
from engine.times.schedule import Dst, Schedule, parse_cron, parse_interval

#: The most due times that `Recurring` goes through one by one.
MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class ScheduleContext:
    """What else in a job file bears on its schedules.

    Attributes:
        zone: the job's time zone, or the engine's.
        dst: what a change of the clocks means.
        named: the operator's cron lines by name.
    """

    zone: ZoneInfo
    dst: Dst = Dst.ONCE
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleKind:
    """A setting of job files that makes a job due.

    Attributes:
        name: the setting's name in job files.
        parse: turns the Lua value into plain data (what JSON can hold); raises ValueError that begins with
            "must" and says what is allowed.
        schedules: makes the schedules of such a value; raises ScheduleError. It and what it returns are pure
            and quick: they are asked on the engine's loop.
        help: one sentence for the documentation.
        example: a value as it would be written in Lua.
    """

    name: str
    parse: Callable[[Any], Any]
    schedules: Callable[[Any, ScheduleContext], Iterable[Schedule]]
    help: str
    example: str


class Recurring(ABC):
    """A schedule that only has to know the next moment after another one.

    It fits whatever is not due so often that counting what was missed one by one would take long.
    """

    @abstractmethod
    def after(self, moment: datetime) -> datetime | None:
        """Return the first due time later than `moment`, or None; both are aware and in UTC."""

    @abstractmethod
    def words(self) -> str:
        """Return the schedule for people; two schedules with the same words are due alike."""

    def first(self, now: datetime) -> datetime | None:
        """Return the first due time of a job that is armed at `now`."""
        return self.after(now)

    def following(self, due: datetime, now: datetime) -> datetime | None:
        """Return the first due time after `due` that is still to come at `now`."""
        return self.after(max(due, now))

    def missed(self, due: datetime, now: datetime) -> int:
        """Return how many due times lie in [due, now], where `due` is one; at most `MOST_COUNTED`."""
        return sum(1 for _ in self._between(due, now))

    def latest(self, due: datetime, now: datetime) -> datetime:
        """Return the last due time in [due, now], where `due` is one and not after `now`."""
        last = due
        for moment in self._between(due, now):
            last = moment
        return last

    def _between(self, due: datetime, now: datetime) -> Iterator[datetime]:
        moment: datetime | None = due
        for _ in range(MOST_COUNTED):
            if moment is None or moment > now:
                return
            yield moment
            moment = self.after(moment)


def _every(value: float, _context: ScheduleContext) -> Iterable[Schedule]:
    return [parse_interval(value)]


def _cron(value: str | Sequence[str], context: ScheduleContext) -> Iterable[Schedule]:
    lines = [value] if isinstance(value, str) else value
    return [parse_cron(by_name(line, context.named), context.zone.key, context.dst) for line in lines]


def _at(value: Sequence[str], context: ScheduleContext) -> Iterable[Schedule]:
    return [dates(parse_moment(moment, context.zone) for moment in value)] if value else []


def by_name(line: str, named: Mapping[str, str]) -> str:
    """Return a cron line as it is, or the operator's one of that name.

    Raises:
        ScheduleError: the operator has none of that name.
    """
    if not line.startswith(NAMED):
        return line
    name = line.removeprefix(NAMED)
    if name not in named:
        near = difflib.get_close_matches(name, named, n=1)
        hint = f"did you mean {NAMED}{near[0]}?" if near else f"there are {', '.join(named) or 'none'}"
        raise ScheduleError(f"no schedule is called {name!r} in [schedules] of moontide.toml; {hint}")
    return named[name]


#: How the engine's own settings make due times; how they are read stands with the other settings.
BUILT_IN: Mapping[str, Callable[[Any, ScheduleContext], Iterable[Schedule]]] = {
    "every": _every,
    "cron": _cron,
    "at": _at,
}
