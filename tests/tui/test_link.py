"""The dashboard's model follows the engine, and fetches no more than what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from engine.events import HoldChanged, JobsReloaded
from tests.engine.api.memory_engine import MemoryEngine
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
