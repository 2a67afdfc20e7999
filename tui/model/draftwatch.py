"""Asks the engine about a text while it is typed: once it rests, one question at a time, no stale answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

#: A text is asked about when nothing was typed for so long.
REST_SECONDS = 0.25


class DraftWatch(Generic[Answer]):
    """Keeps an answer true to a text, for as long as `keep` runs."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[Answer]],
        take: Callable[[Answer], None],
        *,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        """Prepare a watch; nothing is asked before `changed`.

        Args:
            ask: asks about the text as it is then.
            take: gets the answer, unless the text changed while it was under way.
        """
        self._ask = ask
        self._take = take
        self._rest_seconds = rest_seconds
        self._edition = 0
        self._answered = 0
        self._woken = asyncio.Event()

    @property
    def is_answered(self) -> bool:
        """Whether the last answer is about the text as it is."""
        return self._answered == self._edition

    def changed(self) -> None:
        """Note that the text is another one, or that it is to be asked about again."""
        self._edition += 1
        self._woken.set()

    async def keep(self) -> None:
        """Ask whenever the text came to rest after a change, until cancelled."""
        while True:
            await self._woken.wait()
            await self._rest()
            self._woken.clear()
            edition = self._edition
            answer = await self._ask()
            if edition == self._edition:
                self._answered = edition
                self._take(answer)

    async def _rest(self) -> None:
        edition = -1
        while edition != self._edition:
            edition = self._edition
            await asyncio.sleep(self._rest_seconds)
