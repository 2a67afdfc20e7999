"""One alarm on the wall clock, kept by the kernel: exact, free while it waits, aware of clock changes.

A Linux timerfd on CLOCK_REALTIME rings at an absolute time. Unlike a timer that counts seconds it stays
right when the machine sleeps, and it also rings when somebody sets the clock (timerfd_create(2),
TFD_TIMER_CANCEL_ON_SET), so that the owner can look at its schedule anew.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

CLOEXEC_NONBLOCK = os.O_CLOEXEC | os.O_NONBLOCK
ABSOLUTE_CANCEL_ON_SET = 1 | 2
#: A time that never comes (the year 2200), so that clock changes are noticed with nothing to wait for.
NEVER = datetime(2200, 1, 1, tzinfo=UTC)

_libc = ctypes.CDLL(None, use_errno=True)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Alarm(Protocol):
    """Rings on the running loop when its time has come, or when the wall clock was set."""

    def start(self) -> None:
        """Begin to watch the clock, on the running loop."""

    def stop(self) -> None:
        """Never ring again."""

    def set(self, at: datetime | None) -> None:
        """Ring at this time (soon if it has passed), instead of any earlier one; None: no time."""


class KernelAlarm:
    """The alarm of the machine's own clock."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._fd = -1
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Make the kernel timer and listen to it on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._fd = _checked(_libc.timerfd_create(time.CLOCK_REALTIME, CLOEXEC_NONBLOCK))
        self._loop.add_reader(self._fd, self._on_readable)
        self.set(None)

    def stop(self) -> None:
        """Give the timer back; it never rings again."""
        if self._loop is not None and self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def set(self, at: datetime | None) -> None:
        """Ring at this time (at once if it has passed), instead of any earlier one; None: no time."""
        moment = max((at or NEVER).timestamp(), 0.000001)
        seconds = int(moment)
        value = _Timespec(seconds, max(int((moment - seconds) * 1e9), 1))
        spec = _Itimerspec(_Timespec(0, 0), value)
        result = _libc.timerfd_settime(self._fd, ABSOLUTE_CANCEL_ON_SET, ctypes.byref(spec), None)
        if result != 0 and ctypes.get_errno() != errno.ECANCELED:
            _checked(result)

    def _on_readable(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ECANCELED:
                raise
        self._ring()


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
