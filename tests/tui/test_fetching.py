"""What a page fetches while something else goes on: it ends no action, and misses nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.api.address import socket_in
from engine.api.server import ApiServer
from engine.events import JobChanged
from engine.views import RunView
from tests.engine.api.memory_engine import START, MemoryEngine, _run_view
from tests.tui.conftest import READ_SECONDS, Seat, Sit
from tui.model.places import JobPlace, RunPlace


class Slow(MemoryEngine):
    """Answers who asks for a run only when it is let."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.add("report")
        self.all_runs[1] = replace(_run_view(1, "report", {}, 0), status="RUNNING", started=START)
        self.logs[1] = []
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def run_job(self, name: str, *, data: Any = None, user_id: int = 0, actor: str) -> RunView:
        self.asked.set()
        await self.let.wait()
        return await super().run_job(name, data=data, user_id=user_id, actor=actor)


@pytest.fixture
def engine(tmp_path: Path) -> Slow:
    return Slow(tmp_path)


async def at(seat: Seat, place: JobPlace | RunPlace, *words: str) -> None:
    await seat.reads("report", "Running")
    seat.app.go(place)
    await seat.reads(*words)


@pytest.mark.usefixtures("server")
async def test_lines_that_come_while_a_run_is_asked_for_do_not_end_that(sit: Sit, engine: Slow) -> None:
    async with sit() as seat:
        await at(seat, RunPlace(1), "runs › 1", "wrote nothing")
        seat.type_ahead("x")
        await asyncio.wait_for(engine.asked.wait(), READ_SECONDS)
        engine.write_log(1, 1, "told meanwhile")
        await seat.reads("told meanwhile")
        engine.let.set()
        await seat.reads("runs › 2")


@pytest.mark.usefixtures("server")
async def test_what_happens_to_a_job_while_it_is_started_does_not_end_that(sit: Sit, engine: Slow) -> None:
    async with sit() as seat:
        await at(seat, JobPlace("report"), "jobs › report", "1 Overview")
        await seat.press("2")
        seat.type_ahead("r")
        await asyncio.wait_for(engine.asked.wait(), READ_SECONDS)
        engine.all_runs[7], engine.logs[7] = replace(engine.all_runs[1], id=7, trigger="retry"), []
        engine.events.publish(JobChanged(START, "report", "WAITING", "", START))
        await seat.reads("retry")
        engine.let.set()
        await seat.reads("report started")


@pytest.mark.parametrize(
    ("place", "word"), [(RunPlace(1), "too late to count"), (JobPlace("report"), "moved on")]
)
async def test_what_happens_without_a_connection_is_there_when_it_is_back(
    sit: Sit, engine: Slow, place: JobPlace | RunPlace, word: str
) -> None:
    server = ApiServer(engine, socket_path=socket_in(engine.home))
    await server.start()
    async with sit() as seat:
        await at(seat, place, "›")
        await seat.press("2")
        await server.stop()
        await seat.reads("engine not reachable")
        late = {"at": START.isoformat(), "worker": "gpu1", "status": "COMPLETE", "error": None}
        engine.all_runs[1] = replace(engine.all_runs[1], error="moved on", superseded=[late])
        server = ApiServer(engine, socket_path=socket_in(engine.home))
        await server.start()
        try:
            await seat.reads(word)
        finally:
            await server.stop()
