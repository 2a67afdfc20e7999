"""The time limit of one call after another, with one timer for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class OutOfTime(Exception):
    """A call took longer than it may, and was cancelled."""


class Deadline:
    """Ends what takes too long; for one thing at a time.

    Most calls end long before their time: the timer stays where it is then, and serves the next call.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Any] | None = None
        self._others = 0
        self._due = 0.0
        self._expired = False

    async def within(self, seconds: float | None, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns.

        Args:
            seconds: how long it may take; None for as long as it likes.

        Raises:
            OutOfTime: the time was up, and the work was cancelled.
        """
        if seconds is None:
            return await work
        self._begin(seconds)
        try:
            return await work
        except asyncio.CancelledError as error:
            if self._take_back_cancel():
                raise OutOfTime from error
            raise
        finally:
            if self._expired:
                self._take_back_cancel()
            self._task = None

    def close(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._others = task, task.cancelling()
        self._due = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._due:
            self._set_timer()

    def _take_back_cancel(self) -> bool:
        """Undo the cancellation that came from here, if one did; return whether it was the only one."""
        if not self._expired or self._task is None:
            return False
        self._expired = False
        return self._task.uncancel() <= self._others

    def _set_timer(self) -> None:
        self.close()
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        """Cancel what is overdue; what began later than the timer gets its own time."""
        self._timer = None
        if self._task is None:
            return
        if self._loop.time() < self._due:
            self._set_timer()
        else:
            self._expired = True
            self._task.cancel()
