"""What a run holds open through its core calls, such as database connections; closed when it ends."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, TypeVar

from engine.errors import CoreError

logger = logging.getLogger("moontide.resources")

T = TypeVar("T")

Close = Callable[[], Awaitable[None]]

#: Things that one run may hold open at once.
MOST_OPEN = 100


class Resources:
    """Things that belong to one run; Lua knows each by a number that means nothing elsewhere."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Any, Close]] = {}
        self._numbers = count(1)

    def keep(self, thing: object, close: Close) -> int:
        """Hold a thing for the run and return its number.

        Raises:
            CoreError: the run holds too many already.
        """
        if len(self._held) >= MOST_OPEN:
            raise CoreError(f"this run holds {MOST_OPEN} things open already; close some")
        number = next(self._numbers)
        self._held[number] = (thing, close)
        return number

    def get(self, number: int, kind: type[T]) -> T:
        """Return a thing by its number.

        Raises:
            CoreError: the run holds no such thing, or it was closed.
        """
        thing = self._held.get(number, (None, None))[0]
        if not isinstance(thing, kind):
            raise CoreError("it is closed, or was never opened by this run", 801)
        return thing

    async def release(self, number: int) -> None:
        """Close one thing; one that is closed already is no error."""
        held = self._held.pop(number, None)
        if held is not None:
            await held[1]()

    async def close(self) -> None:
        """Close everything, the newest first; what fails is logged and does not keep the others open."""
        while self._held:
            _, (thing, close) = self._held.popitem()
            try:
                await close()
            except Exception:
                logger.exception("%s could not be closed", type(thing).__name__)
