"""What can be asked about runs, in a real engine."""

from __future__ import annotations

import pytest

from engine.errors import JobFileError
from engine.runfilter import RunFilter, has_tag
from engine.states import RunStatus
from tests.engine.conftest import Bench, OpenBench

SAYS = """
local job = core.job { tags = { team = "shop", nightly = "" } }
function job.run(run) core.log("sold " .. run.data.what) return job.OK end
return job
"""
FAILS = """
local job = core.job { on_error = "continue" }
function job.run(run) error("connection refused by api.example.com") end
return job
"""


async def ids(bench: Bench, **wanted: object) -> list[int]:
    return [run.id for run in await bench.desk.history.find(RunFilter(**wanted))]  # type: ignore[arg-type]


async def test_a_run_is_found_by_its_words_as_soon_as_it_has_ended(open_bench: OpenBench) -> None:
    async with open_bench({"says": SAYS, "fails": FAILS}) as bench:
        toys = await bench.run("says", {"what": "blue toys"})
        failed = await bench.run("fails")
        assert await ids(bench, text="toys") == [toys.id]
        assert await ids(bench, text='"connection refused"', job="f*") == [failed.id]
        assert await bench.desk.history.counts(RunFilter(text="sold")) == {"COMPLETE": 1}
        with pytest.raises(JobFileError, match="no word to search for"):
            await ids(bench, text="--")


async def test_words_that_an_engine_left_unindexed_are_found_after_its_next_start(
    open_bench: OpenBench,
) -> None:
    async with open_bench({"says": SAYS}) as bench:
        toys = await bench.run("says", {"what": "toys"})
    async with open_bench() as bench:
        assert await ids(bench, text="toys") == [toys.id]


async def test_runs_are_found_by_the_tags_of_their_jobs(open_bench: OpenBench) -> None:
    async with open_bench({"says": SAYS, "fails": FAILS}) as bench:
        tagged = await bench.run("says", {"what": "toys"})
        await bench.run("fails")
        for tag in ("team", "shop", "team=shop", "nightly"):
            assert await ids(bench, tag=tag) == [tagged.id]
        assert await ids(bench, tag="team=other") == []


async def test_runs_are_found_by_several_statuses(open_bench: OpenBench) -> None:
    async with open_bench({"says": SAYS, "fails": FAILS}) as bench:
        first = await bench.run("says", {"what": "toys"})
        second = await bench.run("fails")
        assert await ids(bench, statuses=(RunStatus.COMPLETE, RunStatus.ERROR)) == [second.id, first.id]
        assert await ids(bench, statuses=(RunStatus.TIMEOUT,)) == []


@pytest.mark.parametrize(
    ("wanted", "has"),
    [
        ("team", True),
        ("shop", True),
        ("team=shop", True),
        ("shop=team", False),
        ("team=", False),
        ("x", False),
    ],
)
def test_a_tag_is_asked_for_by_name_value_or_both(wanted: str, has: bool) -> None:
    assert has_tag({"team": "shop", "nightly": ""}, wanted) is has
