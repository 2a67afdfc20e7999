"""What a job makes of schedules: several at once, single dates, a fixed delay, a first and a last moment.

Each class is a `Schedule` made of other ones, pure like them.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.errors import ScheduleError
from engine.times.quantities import compact_duration
from engine.times.schedule import Interval, Schedule

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Dates:
    """Due once at each of some moments.

    Attributes:
        moments: aware UTC, ascending, each once.
    """

    moments: tuple[datetime, ...]

    def first(self, now: datetime) -> datetime | None:
        at = bisect_right(self.moments, now)
        return self.moments[at] if at < len(self.moments) else None

    def following(self, due: datetime, now: datetime) -> datetime | None:
        return self.first(max(due, now))

    def missed(self, due: datetime, now: datetime) -> int:
        return max(0, bisect_right(self.moments, now) - bisect_right(self.moments, due - _TICK))

    def latest(self, due: datetime, now: datetime) -> datetime:
        return self.moments[bisect_right(self.moments, now) - 1]

    def words(self) -> str:
        return "at " + ", ".join(moment.isoformat(timespec="seconds") for moment in self.moments)


@dataclass(frozen=True, slots=True)
class Several:
    """Due whenever one of some schedules is; a moment at which two of them are due counts once.

    Intervals cannot be among them: what they count from would be unknown once another one was due.
    """

    schedules: tuple[Schedule, ...]

    def first(self, now: datetime) -> datetime | None:
        return _earliest(schedule.first(now) for schedule in self.schedules)

    def following(self, due: datetime, now: datetime) -> datetime | None:
        return self.first(max(due, now))

    def missed(self, due: datetime, now: datetime) -> int:
        """Count as the protocol says, but a moment shared by two schedules counts for each."""
        return sum(
            schedule.missed(start, now)
            for schedule in self.schedules
            if (start := schedule.first(due - _TICK)) is not None and start <= now
        )

    def latest(self, due: datetime, now: datetime) -> datetime:
        starts = ((schedule, schedule.first(due - _TICK)) for schedule in self.schedules)
        return max(
            schedule.latest(start, now) for schedule, start in starts if start is not None and start <= now
        )

    def words(self) -> str:
        return "; ".join(schedule.words() for schedule in self.schedules)


@dataclass(frozen=True, slots=True)
class Delayed:
    """Due a fixed time after another schedule is, so that not all jobs start in the same second.

    Attributes:
        delay: the same for each due time, so that the distance between two of them stays.
    """

    schedule: Schedule
    delay: timedelta

    def first(self, now: datetime) -> datetime | None:
        if isinstance(self.schedule, Interval):
            # An interval counts from the moment it is armed: only its first due time is put off.
            return _later(self.schedule.first(now), self.delay)
        return _later(self.schedule.first(now - self.delay), self.delay)

    def following(self, due: datetime, now: datetime) -> datetime | None:
        return _later(self.schedule.following(due - self.delay, now - self.delay), self.delay)

    def missed(self, due: datetime, now: datetime) -> int:
        return self.schedule.missed(due - self.delay, now - self.delay)

    def latest(self, due: datetime, now: datetime) -> datetime:
        return self.schedule.latest(due - self.delay, now - self.delay) + self.delay

    def words(self) -> str:
        return f"{self.schedule.words()}, {compact_duration(self.delay.total_seconds())} later"


@dataclass(frozen=True, slots=True)
class Bounded:
    """Due as another schedule is, but not before one moment and not at or after another.

    Attributes:
        starts: nothing is due before it; an interval counts from it.
        expires: nothing is due at or after it.
    """

    schedule: Schedule
    starts: datetime | None = None
    expires: datetime | None = None

    def first(self, now: datetime) -> datetime | None:
        if self.starts is None or now >= self.starts:
            return self._within(self.schedule.first(now))
        if isinstance(self.schedule, Interval):
            return self._within(self.starts)
        return self._within(self.schedule.first(self.starts - _TICK))

    def following(self, due: datetime, now: datetime) -> datetime | None:
        return self._within(self.schedule.following(due, now))

    def missed(self, due: datetime, now: datetime) -> int:
        return self.schedule.missed(due, self._last_before(now))

    def latest(self, due: datetime, now: datetime) -> datetime:
        return self.schedule.latest(due, self._last_before(now))

    def words(self) -> str:
        parts = [self.schedule.words()]
        if self.starts is not None:
            parts.append(f"from {self.starts.isoformat(timespec='seconds')}")
        if self.expires is not None:
            parts.append(f"until {self.expires.isoformat(timespec='seconds')}")
        return ", ".join(parts)

    def _within(self, due: datetime | None) -> datetime | None:
        return None if due is None or (self.expires is not None and due >= self.expires) else due

    def _last_before(self, now: datetime) -> datetime:
        return now if self.expires is None else min(now, self.expires - _TICK)


def delay_for(job: str, longest_seconds: float) -> timedelta:
    """Return a job's own delay below the longest one, to the millisecond.

    It depends on the name alone: a job keeps it, and two jobs hardly ever share one.
    """
    digest = int.from_bytes(hashlib.sha256(job.encode()).digest()[:8], "big")
    return timedelta(milliseconds=int(digest / 2**64 * longest_seconds * 1000))


def parse_moment(text: str, zone: ZoneInfo) -> datetime:
    """Return a date with time, aware UTC.

    Args:
        text: ISO 8601, such as "2026-12-24T18:00:00"; an offset in it counts, else the zone's wall clock is
            meant. A wall time that a change of the clocks leaves out means the first instant after the
            gap, one that comes twice means the first.

    Raises:
        ScheduleError: it is no date with time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ScheduleError(f"{text!r} is no date; write one such as 2026-12-24T18:00:00") from error
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return _instant(moment, zone)


def dates(moments: Iterable[datetime]) -> Dates:
    """Return the schedule that is due at these moments."""
    return Dates(tuple(sorted(set(moments))))


def coming(schedule: Schedule, now: datetime, count: int) -> Iterator[datetime]:
    """Yield the next due times of a job that is armed at `now`, at most `count` of them."""
    due = schedule.first(now)
    for _ in range(count):
        if due is None:
            return
        yield due
        due = schedule.following(due, due)


def coming_after(schedule: Schedule, due: datetime) -> Iterator[datetime]:
    """Yield the due times after one of them."""
    following = schedule.following(due, due)
    while following is not None:
        yield following
        following = schedule.following(following, following)


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    early = wall.replace(tzinfo=zone, fold=0)
    instant = early.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # In a gap the two folds give the offsets before and after it; their difference is its length.
    before, after = early.utcoffset(), early.replace(fold=1).utcoffset()
    assert before is not None
    assert after is not None
    return _gap_end(instant, after - before, zone)


def _gap_end(inside: datetime, length: timedelta, zone: ZoneInfo) -> datetime:
    early, late = inside - length - _HOUR, inside
    offset = late.astimezone(zone).utcoffset()
    while late - early > _TICK:
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0) if late.microsecond < 10 else late


_HOUR = timedelta(hours=1)


def _earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _later(moment: datetime | None, delay: timedelta) -> datetime | None:
    return None if moment is None else moment + delay


def combined(schedules: Sequence[Schedule]) -> Schedule | None:
    """Return one schedule for all of these, or None for none.

    Raises:
        ScheduleError: there are several, and an interval is among them.
    """
    if len(schedules) <= 1:
        return schedules[0] if schedules else None
    if any(isinstance(schedule, Interval) for schedule in schedules):
        raise ScheduleError("an interval cannot stand beside other schedules; write it as every = ...")
    return Several(tuple(schedules))
