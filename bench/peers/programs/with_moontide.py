"""Moontide: an engine in a thread of this process, with ten jobs whose runs wait in line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path
from threading import Thread

from compete import AT_ONCE, Peer

from bench.homes import engine_in, home_with, job_text, own_jobs
from engine.events import Event, RunFinished
from engine.service import Engine

JOBS = {f"job{number}": job_text(settings='overlap = "queue"') for number in range(AT_ONCE)}
SETTINGS = f"pool.size = {AT_ONCE}\n"


class _Ends:
    """Counts the runs whose end is committed."""

    def __init__(self) -> None:
        self.complete = 0
        self.failed: list[RunFinished] = []

    def heard(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self.complete += event.status == "COMPLETE"
            self.failed += [event] if event.status != "COMPLETE" else []


@contextmanager
def compete() -> Iterator[Peer]:
    """Give an engine; what has ended is committed as COMPLETE."""
    loop, ends = asyncio.new_event_loop(), _Ends()
    thread = Thread(target=loop.run_forever)
    thread.start()
    opened = AsyncExitStack()

    async def open_engine(home: Path) -> Engine:
        engine = await opened.enter_async_context(engine_in(home))
        engine.events.subscribe(ends.heard)
        return engine

    async def submit(engine: Engine, runs: int) -> None:
        for job in islice(cycle(own_jobs(engine)), runs):
            await engine.dispatcher.submit(job)

    try:
        with home_with(JOBS, SETTINGS) as home:
            engine = asyncio.run_coroutine_threadsafe(open_engine(home), loop).result()
            yield Peer(
                lambda runs: asyncio.run_coroutine_threadsafe(submit(engine, runs), loop).result(),
                lambda: ends.complete,
            )
            asyncio.run_coroutine_threadsafe(opened.aclose(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    if ends.failed:
        raise SystemExit(f"{len(ends.failed)} runs failed: {ends.failed[0]}")
