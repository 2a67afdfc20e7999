"""Time as the engine sees it: a wall clock for schedules, a monotonic one for durations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from engine.times.alarm import Alarm, KernelAlarm


class Clock(Protocol):
    """Handed to everything that asks for the time, so that tests can turn the hands."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps."""

    def alarm(self, ring: Callable[[], None]) -> Alarm:
        """Return an alarm that goes by this clock, not started yet."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def alarm(self, ring: Callable[[], None]) -> Alarm:
        return KernelAlarm(ring)


class ManualClock:
    """A clock that moves only when told to: for tests and rehearsals."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._now = start.astimezone(UTC)
        self._monotonic = 0.0
        self._alarms: set[_ManualAlarm] = set()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def alarm(self, ring: Callable[[], None]) -> Alarm:
        return _ManualAlarm(self, self._alarms, ring)

    def advance(self, seconds: float) -> datetime:
        """Let `seconds` pass on both clocks and return the new time; what is due by then rings soon."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
        for alarm in self._alarms:
            alarm.look()
        return self._now

    def jump(self, seconds: float) -> datetime:
        """Move the wall clock alone, as NTP or an operator does; all alarms ring soon."""
        self._now += timedelta(seconds=seconds)
        for alarm in self._alarms:
            alarm.ring_soon()
        return self._now


class _ManualAlarm:
    """Rings when its clock is turned."""

    def __init__(self, clock: ManualClock, started: set[_ManualAlarm], ring: Callable[[], None]) -> None:
        self._clock = clock
        self._started = started
        self._ring = ring
        self._at: datetime | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._started.add(self)

    def stop(self) -> None:
        self._loop = None
        self._started.discard(self)

    def set(self, at: datetime | None) -> None:
        self._at = at
        self.look()

    def look(self) -> None:
        """Ring soon if the time has come."""
        if self._at is not None and self._at <= self._clock.now():
            self.ring_soon()

    def ring_soon(self) -> None:
        """Ring from the loop, as the kernel's alarm does."""
        if self._loop is not None:
            self._at = None
            self._loop.call_soon(self._ring_if_started)

    def _ring_if_started(self) -> None:
        if self._loop is not None:
            self._ring()
