"""Threads that the engine's end does not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Work = Callable[[], None]


class DaemonThreads(Executor):
    """Threads for work that cannot be interrupted; one that never comes back keeps no process alive."""

    def __init__(self, most: int, name: str) -> None:
        """Prepare; a thread is started when there is work and none is free.

        Args:
            most: work at once; further work waits.
            name: what the threads are called.
        """
        self._most, self._name = most, name
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()
        self._free = threading.Semaphore(0)
        self._started = 0
        self._closed = False
        self._lock = threading.Lock()

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Carry work out in a thread.

        Raises:
            RuntimeError: after `shutdown`.
        """
        done: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("no work is taken after the shutdown")
            self._waiting.put(lambda: _carry_out(done, lambda: work(*args, **kwargs)))
            self._provide_thread()
        return done

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:
        """Take no more work; threads end after what they have, and nobody waits for them."""
        with self._lock:
            self._closed = True
            for _ in range(self._started):
                self._waiting.put(None)

    def _provide_thread(self) -> None:
        if self._free.acquire(blocking=False) or self._started >= self._most:
            return
        self._started += 1
        threading.Thread(target=self._serve, name=f"{self._name}-{self._started}", daemon=True).start()

    def _serve(self) -> None:
        while (work := self._waiting.get()) is not None:
            work()
            self._free.release()


def _carry_out(done: Future[T], work: Callable[[], T]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # whoever waits gets it
        done.set_exception(error)
    else:
        done.set_result(result)
