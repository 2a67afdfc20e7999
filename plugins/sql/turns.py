"""Turns for what only a few may have at once, given in the order of asking."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """A semaphore that can also be asked without waiting; a turn goes straight to who waits for it."""

    def __init__(self, count: int) -> None:
        """Make so many turns."""
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a turn if one is free, and return whether it was. Each one must be given back."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Wait for a turn and take it."""
        if self.take():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Give a turn back, for whoever has waited longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
