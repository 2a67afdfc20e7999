"""The dashboard's model follows the engine, and fetches no more than what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from engine.errors import StoreUnavailable
from engine.events import HoldChanged, JobsReloaded, JournalRecovered
from engine.runfilter import RunFilter
from engine.states import FINAL
from engine.views import RunView
from tests.engine.api.memory_engine import MemoryEngine, MemoryHistory
from tests.engine.conftest import until
from tests.tui.conftest import READ_SECONDS, Seat, Sit
from tui.model.jobfetch import FETCHED_ALONE


async def until_board(seat: Seat, job: str, description: str) -> None:
    jobs = seat.app.board.jobs
    await until(lambda: job in jobs and jobs[job].description == description, READ_SECONDS)


def change_unheard(engine: MemoryEngine, name: str, description: str) -> None:
    engine.views[name] = replace(engine.views[name], description=description)


async def test_of_a_reload_only_the_jobs_that_it_names_are_fetched(
    sit: Sit, engine: MemoryEngine, server: object
) -> None:
    async with sit() as seat:
        await seat.reads("report")
        jobs = seat.app.board.jobs
        for name in ("report", "faulty", "endless"):
            change_unheard(engine, name, "new")
        engine.add("comes", description="new")
        del engine.views["chatty"]
        at = datetime.now(UTC)
        engine.events.publish(JobsReloaded(at, ("comes",), ("report",), ("chatty",), (), ("endless",)))
        for name in ("comes", "report", "endless"):
            await until_board(seat, name, "new")
        await until(lambda: "chatty" not in jobs, READ_SECONDS)
        assert jobs["faulty"].description == ""


async def test_what_concerns_all_jobs_fetches_them_all(
    sit: Sit, engine: MemoryEngine, server: object
) -> None:
    async with sit() as seat:
        await seat.reads("report")
        change_unheard(engine, "faulty", "new")
        engine.events.publish(HoldChanged(datetime.now(UTC), "paused", "engine", "", True, "paused"))
        await until(lambda: seat.app.board.jobs["faulty"].description == "new", READ_SECONDS)


async def test_a_reload_of_many_fetches_all_at_once(sit: Sit, engine: MemoryEngine, server: object) -> None:
    async with sit() as seat:
        await seat.reads("report")
        names = [f"new{number}" for number in range(FETCHED_ALONE + 1)]
        for name in names:
            engine.add(name)
        change_unheard(engine, "faulty", "new")
        engine.events.publish(JobsReloaded(datetime.now(UTC), tuple(names), (), (), ()))
        await until(lambda: seat.app.board.jobs.keys() >= set(names), READ_SECONDS)
        assert seat.app.board.jobs["faulty"].description == "new"


class Blind(MemoryHistory):
    """Finds no runs while the database fails."""

    def __init__(self, engine: MemoryEngine) -> None:
        super().__init__(engine)
        self._of = engine

    async def find(self, wanted: RunFilter, *, before: int | None = None, limit: int = 50) -> list[RunView]:
        if self._of.store_fails:
            raise StoreUnavailable("the database is away")
        return await super().find(wanted, before=before, limit=limit)


async def test_without_its_database_an_engine_is_shown_and_the_ends_of_runs_when_it_is_back(
    sit: Sit, engine: MemoryEngine, server: object
) -> None:
    await engine.run_job("report", actor="x")
    await until(lambda: engine.all_runs[1].status in FINAL)
    engine.history, engine.store_fails = Blind(engine), True
    async with sit() as seat:
        await seat.reads("report", "Running")
        board = seat.app.board
        engine.events.publish(HoldChanged(datetime.now(UTC), "paused", "engine", "", True, "paused"))
        change_unheard(engine, "faulty", "new")
        await until(lambda: board.jobs["faulty"].description == "new", READ_SECONDS)
        assert (board.is_live, board.ends) == (True, {})
        engine.store_fails = False
        engine.events.publish(JournalRecovered(datetime.now(UTC), 3.0))
        await until(lambda: "report" in board.ends, READ_SECONDS)


async def test_many_jobs_whose_answers_were_overtaken_are_asked_for_at_once(
    sit: Sit, engine: MemoryEngine, server: object
) -> None:
    names = [f"new{number}" for number in range(FETCHED_ALONE + 1)]
    for name in names:
        engine.add(name)
    async with sit() as seat:
        await seat.reads("new0")
        # The one that nobody doubts comes with the others alone.
        change_unheard(engine, "faulty", "new")
        for name in names:
            seat.app.board.when_doubted(name)
        await until(lambda: seat.app.board.jobs["faulty"].description == "new", READ_SECONDS)
