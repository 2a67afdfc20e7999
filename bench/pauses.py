"""How long the event loop stood still."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_EVERY_SECONDS = 0.001


@asynccontextmanager
async def watched_loop() -> AsyncIterator[list[float]]:
    """Give the pauses of the running loop, in seconds, as long as the block lasts."""
    pauses = [0.0]
    watching = asyncio.create_task(_watch(pauses))
    try:
        yield pauses
    finally:
        watching.cancel()


async def _watch(pauses: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(_EVERY_SECONDS)
        pauses.append(time.perf_counter() - before - _EVERY_SECONDS)
