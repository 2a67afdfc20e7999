"""Follows one run until it has ended: the run and its log, as they grow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.errors import EngineUnreachable
from engine.events import Event
from engine.states import FINAL
from engine.views import LogLineView, RunView
from tui.model.board import Board

if TYPE_CHECKING:
    from engine.api.client import AsyncClient

#: A run that writes all the time is asked about so often, and one of which nothing is heard so seldom.
BUSY_SECONDS = 0.25
QUIET_SECONDS = 5.0
LINES_FETCHED = 5000

Take = Callable[[RunView, Sequence[LogLineView]], None]


async def follow_run(client: AsyncClient, board: Board, run_id: int, take: Take) -> RunView:
    """Hand on a run with further lines of its log whenever there is news; return it once it has ended.

    An engine that goes away is waited for.

    Raises:
        MoontideError: the run cannot be asked about.
    """
    news = asyncio.Event()

    def heard(event: Event) -> None:
        if getattr(event, "run", None) == run_id:
            news.set()

    unlisten = board.listen(heard)
    try:
        return await _follow(client, run_id, take, news)
    finally:
        unlisten()


async def _follow(client: AsyncClient, run_id: int, take: Take, news: asyncio.Event) -> RunView:
    last = 0
    while True:
        news.clear()
        with suppress(EngineUnreachable):
            # The run first: once that has ended, the log that is fetched after it is complete.
            run = await client.run(run_id)
            lines = await _further(client, run_id, last)
            last = lines[-1].number if lines else last
            take(run, lines)
            if run.status in FINAL:
                return run
        await asyncio.sleep(BUSY_SECONDS)
        with suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), QUIET_SECONDS)


async def _further(client: AsyncClient, run_id: int, last: int) -> list[LogLineView]:
    lines: list[LogLineView] = []
    while True:
        page = await client.log(run_id, after=last, limit=LINES_FETCHED)
        lines += page
        if len(page) < LINES_FETCHED:
            return lines
        last = page[-1].number
