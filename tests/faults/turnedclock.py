"""The `moontide` command of an engine whose wall clock others can set.

`python turnedclock.py FILE ...` is `moontide ...`. FILE holds by how many seconds the clock is ahead of the
machine's. SIGUSR1 says that it was written anew: all alarms ring, as the kernel's do when somebody sets the
machine's clock (TFD_TIMER_CANCEL_ON_SET). All else is the engine's own.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import engine.service
from engine.cli import main
from engine.times.alarm import Alarm, KernelAlarm
from engine.times.clock import SystemClock


class TurnedClock(SystemClock):
    """The machine's clock, moved."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.ahead = timedelta()
        self.alarms: set[TurnedAlarm] = set()
        self._turn()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def alarm(self, ring: Callable[[], None]) -> Alarm:
        return TurnedAlarm(self, ring)

    def listen(self) -> None:
        """Heed the signal, on the running loop."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._was_set)

    def _turn(self) -> None:
        self.ahead = timedelta(seconds=float(self._file.read_text()))

    def _was_set(self) -> None:
        self._turn()
        for alarm in list(self.alarms):
            alarm.ring()


class TurnedAlarm:
    """The kernel's alarm, moved by as much as its clock."""

    def __init__(self, clock: TurnedClock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self.ring = ring
        self._kernel = KernelAlarm(ring)

    def start(self) -> None:
        self._clock.listen()
        self._clock.alarms.add(self)
        self._kernel.start()

    def stop(self) -> None:
        self._clock.alarms.discard(self)
        self._kernel.stop()

    def set(self, at: datetime | None) -> None:
        self._kernel.set(None if at is None else at - self._clock.ahead)


if __name__ == "__main__":
    clock = TurnedClock(Path(sys.argv.pop(1)))
    engine.service.SystemClock = lambda: clock  # type: ignore[assignment,misc]
    main()
