"""Where waiting runs stand in line, and what they wait for."""

import asyncio
from typing import Any

import pytest

from engine.rules.holds import HoldScope
from engine.views import RunView
from tests.engine.conftest import ACTOR, Bench, OpenBench, until

#: Runs until it is cancelled, and listens to that.
ENDLESS = """
local job = core.job {{ {settings} }}
function job.run(run) while not job.stopping() do core.sleep(0.05) end return job.OK end
return job
"""


def endless(settings: str = "") -> str:
    return ENDLESS.format(settings=settings)


async def ask(bench: Bench, *jobs: str) -> list[int]:
    """Ask for a run of each job, one after another, and return their ids."""
    return [(await bench.desk.run_job(job, actor=ACTOR)).id for job in jobs]


def line(*runs: RunView) -> list[tuple[int | None, str]]:
    return [(run.position, run.waits_for) for run in runs]


async def look(bench: Bench, *ids: int) -> list[tuple[int | None, str]]:
    return line(*[await bench.desk.run(run) for run in ids])


async def test_runs_wait_in_line_by_priority_and_then_as_they_came(open_bench: OpenBench) -> None:
    jobs = {"first": endless(), "low": endless(), "late": endless(), "high": endless("priority = 5")}
    async with open_bench(jobs, "[pool]\nsize = 1\n") as bench:
        first, low, late, high = await ask(bench, "first", "low", "late", "high")
        full = "the pool is full: 1 of 1 runs go on"
        assert await look(bench, first, low, late, high) == [(None, ""), (2, full), (3, full), (1, full)]


async def test_a_list_of_runs_tells_the_same_as_each_run(open_bench: OpenBench) -> None:
    async with open_bench({"a": endless(), "b": endless()}, "[pool]\nsize = 1\n") as bench:
        ids = await ask(bench, "a", "b", "b")
        listed = await bench.desk.runs()
        assert line(*reversed(listed)) == await look(bench, *ids)


async def test_the_line_moves_up_when_a_run_ends(open_bench: OpenBench) -> None:
    async with open_bench({"a": endless(), "b": endless(), "c": endless()}, "[pool]\nsize = 1\n") as bench:
        first, second, third = await ask(bench, "a", "b", "c")
        await bench.desk.cancel(first, actor=ACTOR)
        await until(lambda: _runs(bench, second))
        assert [place for place, _ in await look(bench, second, third)] == [None, 1]


async def _runs(bench: Bench, run: int) -> bool:
    return (await bench.desk.run(run)).status == "RUNNING"


@pytest.mark.parametrize(
    ("settings", "toml", "reason"),
    [
        ("", "", "another run of the job goes on"),
        (
            'overlap = "allow", tags = { "shop" }',
            "[limits.tags]\nshop = 1\n",
            "the limit of tag shop: 1 of 1 runs go on",
        ),
        (
            'overlap = "allow", groups = { "night" }',
            "[limits.groups]\nnight = 1\n",
            "the limit of group night: 1 of 1 runs go on",
        ),
    ],
)
async def test_a_run_says_which_limit_is_in_its_way(
    open_bench: OpenBench, settings: str, toml: str, reason: str
) -> None:
    async with open_bench({"a": endless(settings)}, toml) as bench:
        first, second = await ask(bench, "a", "a")
        assert await look(bench, first, second) == [(None, ""), (1, reason)]


async def test_a_run_of_a_paused_job_says_who_paused_it(open_bench: OpenBench) -> None:
    async with open_bench({"a": endless()}) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "a", until=None, note="new disk", actor=ACTOR)
        (run,) = await ask(bench, "a")
        assert await look(bench, run) == [(1, "the job is paused by tester@here: new disk")]


async def test_hundreds_of_waiting_runs_all_have_another_place(open_bench: OpenBench) -> None:
    async with open_bench({"a": endless()}) as bench:
        views: list[Any] = await asyncio.gather(*(bench.desk.run_job("a", actor=ACTOR) for _ in range(300)))
        runs = await bench.desk.runs(limit=300)
        places = sorted(run.position for run in runs if run.position is not None)
        assert places == list(range(1, len(views)))
