"""What a core call costs, beside an empty Lua function, and a thousand reads of one object.

The time is taken inside one job by the wall clock of the run, with the calls of a loop around it.
"""

from __future__ import annotations

import asyncio

from bench.figures import Effort, Figure
from bench.homes import engine_in, home_with, job_text
from engine.events import Event, RunFinished
from engine.service import Engine

#: How often each is called in one run, and the program that does it.
LOOPS = {
    "an empty Lua function": (1_000_000, "local function call() end"),
    "core.sleep(0)": (1000, "local function call() core.sleep(0) end"),
    "core.data get": (
        1000,
        'local store = core.data("bench") local id = store:save({ n = 1 }) '
        "local function call() store:get(id) end",
    ),
}


def measure(effort: Effort) -> list[Figure]:
    """Return microseconds for each call, and milliseconds for a thousand reads."""
    rounds = asyncio.run(_rounds(effort.rounds))
    figures = [
        Figure(f"{name}, each of {LOOPS[name][0]:,}", "us", [1000 * ms / LOOPS[name][0] for ms in measured])
        for name, measured in rounds.items()
    ]
    return [*figures, Figure("1,000 core.data get in one run", "ms", rounds["core.data get"])]


async def _rounds(count: int) -> dict[str, list[float]]:
    bodies = {
        name: f"{setting} for _ = 1, {calls} do call() end return job.OK"
        for name, (calls, setting) in LOOPS.items()
    }
    jobs = {f"job{number}": job_text(body) for number, body in enumerate(bodies.values())}
    empty = {"empty": job_text("return job.OK")}
    with home_with(jobs | empty) as home:
        async with engine_in(home) as engine:
            base = min([await _duration(engine, "empty") for _ in range(20)])
            return {
                name: [await _duration(engine, job) - base for _ in range(count)]
                for name, job in zip(bodies, jobs, strict=True)
            }


async def _duration(engine: Engine, job: str) -> float:
    ended: asyncio.Future[RunFinished] = asyncio.get_running_loop().create_future()

    def heard(event: Event) -> None:
        if isinstance(event, RunFinished) and not ended.done():
            ended.set_result(event)

    unsubscribe = engine.events.subscribe(heard)
    try:
        await engine.dispatcher.submit(engine.catalog.job(job))
        event = await ended
    finally:
        unsubscribe()
    if event.status != "COMPLETE" or event.duration_ms is None:
        raise RuntimeError(f"{job}: {event.error}")
    return event.duration_ms
