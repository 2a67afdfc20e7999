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
from engine.runfilter import RunFilter
from engine.views import RunView
from tests.engine.api.memory_engine import START, MemoryEngine, MemoryHistory, _run_view
from tests.tui.conftest import READ_SECONDS, Seat, Sit
from tui.model.places import JobPlace, RunPlace
from tui.screens.editor import EditorScreen


class SlowHistory(MemoryHistory):
    """Lists runs only when the engine shows them."""

    def __init__(self, engine: Slow) -> None:
        super().__init__(engine)
        self._shown = engine.shown

    async def find(self, wanted: RunFilter, *, before: int | None = None, limit: int = 50) -> list[RunView]:
        await self._shown.wait()
        return await super().find(wanted, before=before, limit=limit)


class Slow(MemoryEngine):
    """Starts and shows runs only when it is let."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.add("report")
        self.all_runs[1] = replace(_run_view(1, "report", {}, 0), status="RUNNING", started=START)
        self.logs[1] = []
        self.asked, self.let = asyncio.Event(), asyncio.Event()
        self.shown = asyncio.Event()
        self.shown.set()
        self.history = SlowHistory(self)

    async def job_source(self, name: str) -> tuple[str, str]:
        await self.shown.wait()
        return await super().job_source(name)

    async def run(self, run_id: int) -> RunView:
        await self.shown.wait()
        return await super().run(run_id)

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
        engine.events.publish(JobChanged(START, "report", "WAITING", "", START, "idle"))
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


async def press_too_soon(seat: Seat, engine: Slow, place: JobPlace | RunPlace, *keys: str) -> None:
    """Open a page and press keys before it is fetched; then let that come."""
    await seat.reads("report", "Running")
    engine.shown.clear()
    # So long as on a slow way: keys are handed out though the page is not here.
    seat.app.patience_seconds = 0.05
    seat.app.go(place)
    await seat.press(*keys)
    engine.shown.set()


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("K", "Cancel run 1 of report?"),
        ("x", "runs › 2"),
        ("X", "Run report with data"),
        ("o", "jobs › report"),
        ("O", "no run asked for this one"),
        ("left_square_bracket", "this is the first attempt"),
        ("y", "copied: 1 line of the log"),
    ],
)
async def test_a_key_on_the_page_of_a_run_that_is_not_here_yet_waits_for_it(
    sit: Sit, engine: Slow, key: str, word: str
) -> None:
    engine.let.set()
    engine.write_log(1, 1, "up")
    async with sit() as seat:
        await press_too_soon(seat, engine, RunPlace(1), key)
        await seat.reads(word)


@pytest.mark.usefixtures("server")
async def test_a_key_on_the_page_of_a_run_that_does_not_come_says_so(sit: Sit, engine: Slow) -> None:
    async with sit() as seat:
        await press_too_soon(seat, engine, RunPlace(99), "x")
        await seat.reads("runs › 99  could not be fetched", "nothing was done")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("keys", "word"), [(("2", "enter"), "runs › 1  report"), (("3", "y"), "copied: the code of this job")]
)
async def test_a_key_on_the_page_of_a_job_that_is_not_here_yet_waits_for_it(
    sit: Sit, engine: Slow, keys: tuple[str, ...], word: str
) -> None:
    engine.add("report", "return job")
    async with sit() as seat:
        await press_too_soon(seat, engine, JobPlace("report"), *keys)
        await seat.reads(word)


@pytest.mark.usefixtures("server")
async def test_pages_that_are_not_here_yet_say_that_they_are_fetched(sit: Sit, engine: Slow) -> None:
    async with sit() as seat:
        await seat.reads("report", "Running")
        engine.shown.clear()
        seat.app.go(RunPlace(1))
        await seat.reads("runs › 1  fetching …")
        seat.app.go(JobPlace("report"))
        seat.app.patience_seconds = 0.05
        for tab in "234567":
            await seat.press(tab)
            await seat.reads("Fetching …")
        engine.shown.set()
        await seat.gone("Fetching …")


@pytest.mark.usefixtures("server")
async def test_an_editor_takes_no_text_before_it_has_the_file(sit: Sit, engine: Slow) -> None:
    async with sit() as seat:
        await seat.reads("report", "Running")
        engine.shown.clear()
        await seat.press("e")
        await seat.reads("jobs › report › edit", "fetching …")
        await seat.press("x", "ctrl+s")
        await seat.reads("nothing was saved")
        engine.shown.set()
        await seat.reads("edit  saved")
        editor = seat.app.screen
        assert isinstance(editor, EditorScreen)
        assert editor.area.text == engine.texts["report"]
        await seat.press("x")
        await seat.reads("modified")
        assert editor.area.text == "x" + engine.texts["report"]
