"""Tasks at hand that begin what they are given at once, in the same turn of the loop.

To make a task costs as much as many a core call, and a new one begins only in the loop's next turn. Here a
task waits for work, and whoever hands it over does its first step. All else is as in any task: it can be
cancelled, it has a context of its own, and what it waits for wakes it by the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any

Work = Coroutine[Any, Any, None]


class ReadyTasks:
    """Gives work to tasks that wait for it, and makes another one where there is none."""

    def __init__(self) -> None:
        self._idle: list[_ReadyTask] = []
        self._closed = False

    def begin(self, work: Work) -> Begun | None:
        """Carry out some work. Its first step is done now, unless a task calls this or none was at hand.

        Returns:
            the work as it goes on; None if it has ended already.
        """
        ready = self._idle.pop() if self._idle else _ReadyTask(self._take_back)
        ready.handover.give(work)
        begun = Begun(ready, work)
        return None if begun.ended else begun

    def close(self) -> None:
        """Let each task end, once its work has."""
        self._closed = True
        while self._idle:
            self._idle.pop().task.cancel()

    def _take_back(self, ready: _ReadyTask) -> bool:
        if not self._closed:
            self._idle.append(ready)
        return not self._closed


class Begun:
    """Work that a task goes on with."""

    def __init__(self, ready: _ReadyTask, work: Work) -> None:
        self._ready = ready
        self._work = work

    @property
    def ended(self) -> bool:
        """Whether it is done, whatever its task does by now."""
        return self._ready.handover.work is not self._work or self._ready.task.done()

    async def cancel(self, seconds: float) -> None:
        """Cancel it if it goes on, and wait some seconds for its end."""
        if not self.ended:
            self._ready.task.cancel()
            await asyncio.wait([self._ready.task], timeout=seconds)


class _ReadyTask:
    """One task; it serves again if its last work left its context and its cancellation as they were."""

    def __init__(self, take_back: Callable[[_ReadyTask], bool]) -> None:
        self._take_back = take_back
        self.handover = _Handover()
        self.task: asyncio.Task[None] = asyncio.get_running_loop().create_task(self._serve())
        self.task.add_done_callback(self._close_unbegun)

    async def _serve(self) -> None:
        untouched = copy_context()
        goes_on = True
        while goes_on:
            await (await self.handover)
            self.handover.work = None
            touched = self.task.cancelling() or copy_context() != untouched
            goes_on = not touched and self._take_back(self)

    def _close_unbegun(self, _task: asyncio.Task[None]) -> None:
        if self.handover.work is not None:
            self.handover.work.close()


class _Handover:
    """What a task awaits to get its next work: like a future, but its task is woken at once.

    `_asyncio_future_blocking` and the methods are what asyncio wants of such an object (`asyncio.isfuture`).
    """

    def __init__(self) -> None:
        self._asyncio_future_blocking = False
        self._loop = asyncio.get_running_loop()
        self._waiting: tuple[Callable[[_Handover], object], Context] | None = None
        self._cancelled = False
        self.work: Work | None = None

    def give(self, work: Work) -> None:
        """Hand work over; a task that does not wait yet finds it later."""
        self.work = work
        if self._waiting is None:
            return
        if asyncio.current_task() is None:
            (wake, context), self._waiting = self._waiting, None
            context.run(wake, self)
        else:  # one task cannot run inside of another
            self._wake_later()

    def _wake_later(self) -> None:
        assert self._waiting is not None
        (wake, context), self._waiting = self._waiting, None
        self._loop.call_soon(wake, self, context=context)

    def __await__(self) -> Generator[_Handover, None, Work]:
        if self.work is None:
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    def result(self) -> Work:
        if self._cancelled:
            raise asyncio.CancelledError
        assert self.work is not None
        return self.work

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def add_done_callback(self, wake: Callable[[_Handover], object], *, context: Context) -> None:
        self._waiting = wake, context

    def cancel(self, msg: object = None) -> bool:
        if self._waiting is None:
            return False
        self._cancelled = True
        self._wake_later()
        return True
