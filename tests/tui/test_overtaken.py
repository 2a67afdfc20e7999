"""Answers and events come by two ways: what an event told stays where an older answer comes after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.api.address import socket_in
from engine.api.client import AsyncClient
from engine.api.events import Lagged
from engine.events import EngineStateChanged, Event, JobChanged, JobsReloaded, RunFinished, RunStarted
from engine.states import RunStatus
from tests.engine.api.memory_engine import START, MemoryEngine, _run_view
from tests.engine.conftest import until
from tests.tui.conftest import READ_SECONDS, Sit, seated
from tui.app import Dashboard
from tui.model.asking import Asking
from tui.model.board import Board
from tui.model.jobfetch import fetch_all_jobs, look_at_job
from tui.model.places import JobPlace, RunPlace


def failed(job: str, error: str, run: int = 1) -> RunFinished:
    return RunFinished(START, run, job, "ERROR", None, 12.5, error)


class Late(AsyncClient):
    """Brings answers about jobs only when it is let; they tell what was so when the engine gave them."""

    def __init__(self, home: Path) -> None:
        super().__init__(socket_in(home), actor="anna@web1")
        self.let = asyncio.Event()
        self.let.set()
        self.waits: list[str] = []
        self.asked: list[str] = []

    async def _ask(self, call: Any) -> Any:
        answer = await super()._ask(call)
        if call.method == "GET" and call.path.startswith(("/v1/jobs/", "/v1/listed-jobs")):
            self.asked.append(call.path)
            self.waits.append(call.path)
            await self.let.wait()
            self.waits.remove(call.path)
        return answer


@pytest.fixture
async def late(engine: MemoryEngine, server: object) -> AsyncIterator[Late]:
    async with Late(engine.home) as client:
        yield client


async def board_of(client: AsyncClient) -> tuple[Board, list[str]]:
    """Return a board with all jobs, and where it notes those that it doubts."""
    board, doubted = Board(), []  # type: ignore[var-annotated]
    board.when_doubted = doubted.append
    await fetch_all_jobs(client, board)
    return board, doubted


async def overtake(client: Late, question: asyncio.Task[Any], board: Board, *events: Event) -> None:
    """Let events come while a question has its answer on the way."""
    await until(lambda: client.waits, READ_SECONDS)
    for event in events:
        board.take(event)
    client.let.set()
    await question


async def test_what_an_event_told_is_not_undone_by_an_answer_from_before_it(late: Late) -> None:
    board, doubted = await board_of(late)
    late.let.clear()
    question = asyncio.create_task(look_at_job(late, board, "report"))
    await overtake(late, question, board, failed("report", "it broke"))
    assert board.jobs["report"].error == "it broke"
    assert doubted == ["report"]


async def test_of_an_answer_about_all_jobs_only_what_was_overtaken_is_doubted(
    late: Late, engine: MemoryEngine
) -> None:
    board, doubted = await board_of(late)
    late.let.clear()
    engine.add("faulty", description="new")
    question = asyncio.create_task(fetch_all_jobs(late, board))
    await overtake(late, question, board, RunStarted(START, 7, "report", "manual", 1))
    assert (board.jobs["report"].activity, board.jobs["report"].last_run_id) == ("running", 7)
    assert board.jobs["faulty"].description == "new"
    assert doubted == ["report"]


async def test_the_state_of_the_engine_is_not_undone_either(late: Late, engine: MemoryEngine) -> None:
    board, _ = await board_of(late)
    with Asking(board) as asking:
        board.take(EngineStateChanged(START, "Draining"))
        asking.take_engine(engine.status())
    assert board.engine is not None
    assert board.engine.state == "Draining"
    with Asking(board) as asking:
        asking.take_engine(engine.status())
    assert board.engine.state == "Running"


async def test_an_end_that_is_fetched_and_told_counts_once(late: Late, engine: MemoryEngine) -> None:
    board, _ = await board_of(late)
    await engine.run_job("faulty", actor="x")
    await until(lambda: engine.all_runs[1].status == RunStatus.ERROR)
    board.take_runs(await late.runs(), [failed("faulty", "it broke"), failed("faulty", "again", run=2)])
    board.take(failed("faulty", "again", run=2))
    assert [end.run for end in board.ends["faulty"]] == [1, 2]


# What an end says of its job


async def test_a_cancelled_run_leaves_the_last_error(late: Late) -> None:
    board, _ = await board_of(late)
    board.take(failed("report", "it broke"))
    board.take(RunFinished(START, 2, "report", "CANCELLED", None, 3.5, "cancelled by anna@web1"))
    assert (board.jobs["report"].error, board.jobs["report"].last_status) == ("it broke", "CANCELLED")
    board.take(RunFinished(START, 3, "report", "COMPLETE", "OK", 3.5, None))
    assert board.jobs["report"].error is None


async def test_why_a_job_is_inactive_stays_also_when_it_runs_well_by_hand(
    late: Late, engine: MemoryEngine
) -> None:
    engine.add("report", status="INACTIVE", error="it broke")
    board, _ = await board_of(late)
    board.take(RunFinished(START, 3, "report", "COMPLETE", "OK", 3.5, None))
    assert board.jobs["report"].error == "it broke"


async def test_a_run_that_never_started_is_not_the_last_one(late: Late) -> None:
    board, _ = await board_of(late)
    board.take(failed("report", "it broke"))
    board.take(RunFinished(START, 2, "report", "SKIPPED", None, None, "the group was disabled"))
    assert (board.jobs["report"].last_run_id, board.jobs["report"].last_status) == (1, "ERROR")


async def test_a_job_goes_on_while_another_of_its_runs_does(late: Late) -> None:
    board, _ = await board_of(late)
    board.take(failed("report", "it broke"))
    board.take(JobChanged(START, "report", "WAITING", "", START, "running"))
    assert board.jobs["report"].activity == "running"


# In the dashboard


async def test_an_overtaken_answer_is_asked_for_again(late: Late, engine: MemoryEngine) -> None:
    async with seated(Dashboard(late)) as seat:
        await seat.reads("report", "Running")
        late.let.clear()
        engine.events.publish(JobsReloaded(datetime.now(UTC), (), ("report",), (), ()))
        await until(lambda: late.waits, READ_SECONDS)
        engine.add("report", error="it broke", description="new")
        engine.events.publish(failed("report", "it broke"))
        await until(lambda: seat.app.board.jobs["report"].error is not None, READ_SECONDS)
        asked = len(late.asked)
        late.let.set()
        await until(lambda: seat.app.board.jobs["report"].description == "new", READ_SECONDS)
        assert len(late.asked) > asked
        assert seat.app.board.jobs["report"].error == "it broke"


async def test_a_page_shows_the_last_error_also_where_an_older_answer_comes(
    late: Late, engine: MemoryEngine
) -> None:
    async with seated(Dashboard(late), (100, 40)) as seat:
        await seat.reads("report", "Running")
        late.let.clear()
        seat.app.go(JobPlace("report"))
        await until(lambda: late.waits, READ_SECONDS)
        engine.add("report", "local x\nx()", status="INACTIVE", active=False, error="report.lua:2: no x")
        engine.events.publish(failed("report", "report.lua:2: no x"))
        engine.events.publish(JobChanged(START, "report", "INACTIVE", "no x", None, "idle"))
        await seat.reads("report.lua:2: no x")
        late.let.set()
        await seat.reads("report.lua:2: no x", "▶   2 x()")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("place", [RunPlace(1), JobPlace("report")])
async def test_a_page_looks_again_where_events_were_lost(
    sit: Sit, engine: MemoryEngine, place: RunPlace | JobPlace
) -> None:
    engine.all_runs[1], engine.logs[1] = _run_view(1, "report", {}, 0), []
    async with sit() as seat:
        await seat.reads("report", "Running")
        seat.app.go(place)
        await seat.press("2")
        engine.all_runs[1] = replace(engine.all_runs[1], status="ERROR", error="moved on")
        engine.events.publish(Lagged(datetime.now(UTC), 3000))
        await seat.reads("moved on")
