"""How a run is asked to come to its end, before it is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Stopping(asyncio.Future[str]):
    """The end that is ordered for one run, with the chance to come before it.

    As a future it is the last word: resolved with a reason, it ends the run at once. Before that the run can
    be asked, which it learns by `heed` and `pause`. It belongs to the run's loop.

    Attributes:
        reason: why the run was asked to end; None while it was not.
        listens: the run has called `heed` or `pause`, so that it may learn of it.
        told: the run has learned of it.
        within: seconds after which it is ended, if it was asked so.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reason: str | None = None
        self.listens = False
        self.told = False
        self.within: float | None = None
        self._pass_on: Callable[[], None] = lambda: None
        self._woken = False
        self._pausing: asyncio.Future[None] | None = None

    def ask(self, reason: str) -> None:
        """Ask the run to come to its end; what it is paused in ends at once."""
        self.reason = self.reason or reason
        self._pass_on()
        if self._pausing is not None and not self._pausing.done():
            self._pausing.set_result(None)

    def ask_within(self, reason: str, seconds: float) -> None:
        """Ask the run, and end it after some time; one that would not learn of it is ended at once."""
        self.within = seconds
        self.ask(reason)
        if not self.listens:
            self.end(reason)
        elif not self.done():
            words = f"{reason}; it was asked to end by itself, and was stopped after {seconds:g} s"
            self.get_loop().call_later(seconds, self.end, words)

    def end(self, reason: str) -> None:
        """End the run at once, if that is not ordered already."""
        if not self.done():
            self.set_result(reason)

    def pass_on(self, tell: Callable[[], None]) -> None:
        """Have a function called when the run is asked to end, or ended: it listens elsewhere."""
        self.listens = True
        self._pass_on = tell
        self.add_done_callback(lambda _: tell())

    def heed(self) -> bool:
        """Return whether the run is to come to its end."""
        self.listens = True
        self.told = self.told or self.reason is not None
        return self.told

    async def pause(self, seconds: float) -> str | None:
        """Wait; the first pause that a request to end falls into, or follows on, is cut short.

        Only the first: a job that does not look at the answer must not begin to run in circles.

        Returns:
            why it was cut short; None after the whole time.
        """
        self.listens = True
        if self._woken:
            await asyncio.sleep(seconds)
            return None
        if self.reason is None:
            await self._wait(seconds)
        if self.reason is None:
            return None
        self._woken = self.told = True
        return self.reason

    async def _wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        pausing: asyncio.Future[None] = loop.create_future()
        over = loop.call_later(seconds, _settle, pausing)
        self._pausing = pausing
        try:
            await pausing
        finally:
            over.cancel()
            self._pausing = None


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
