"""Runs whose circumstances change under way: waiting ones that end, files that go bad."""

from __future__ import annotations

import asyncio

import pytest

from engine.errors import StoreError
from engine.events import RunFinished, RunQueued
from engine.states import JobStatus, RunStatus
from tests.engine.conftest import ACTOR, Bench, OpenBench, until
from tests.homebases import POSTGRESQL, SQLITE

HOLDER = "local job = core.job() function job.run() core.sleep(600) return job.OK end return job"
ONCE = """
local job = core.job { every = "1h", run_once = true, run_at_start = true }
function job.run() return job.OK end
return job
"""
WAITS_FOR_WORD = """
local job = core.job { every = "1h", timeout = "20s" }
function job.run()
  while not core.data("word"):get({ said = true }) do core.sleep(0.02) end
  return job.%s
end
return job
"""
SAY = """
local job = core.job()
function job.run() core.data("word"):save({ said = true }) return job.OK end
return job
"""
BAD = "this is no Lua"


async def hold(bench: Bench) -> int:
    """Let a run hold the only permit."""
    return (await bench.desk.run_job("holder", actor=ACTOR)).id


async def end(bench: Bench, run_id: int) -> None:
    await bench.desk.cancel(run_id, actor=ACTOR)


async def test_a_run_once_job_whose_waiting_run_is_cancelled_has_had_its_run(open_bench: OpenBench) -> None:
    async with open_bench({"holder": HOLDER}, toml="pool.size = 1") as bench:
        held = await hold(bench)
        bench.write("once", ONCE.replace("run_at_start = true", "").replace("1h", "1s"))
        await bench.reload()
        await until(lambda: any(isinstance(e, RunQueued) and e.job == "once" for e in bench.heard))
        (waiting,) = await bench.desk.runs(job="once")
        await end(bench, waiting.id)
        assert bench.desk.job("once").status == JobStatus.ONCE_DONE
        await bench.reload()
        assert bench.desk.job("once").status == JobStatus.ONCE_DONE
        await end(bench, held)
    async with open_bench({"once": ONCE}) as bench:
        await until(lambda: len(bench.ends("once")) == 1)


async def going(bench: Bench, ending: str) -> int:
    """Return a run that waits for a word, and whose file went bad meanwhile."""
    bench.write("waits", WAITS_FOR_WORD % ending)
    await bench.reload()
    run = await bench.desk.run_job("waits", actor=ACTOR)
    await until(lambda: bench.desk.job("waits").activity == "running")
    bench.write("waits", BAD)
    await bench.reload()
    assert bench.desk.job("waits").status == JobStatus.INVALID
    return run.id


async def test_exit_counts_although_the_file_went_bad_meanwhile(open_bench: OpenBench) -> None:
    async with open_bench({"say": SAY}) as bench:
        run_id = await going(bench, "EXIT")
        await bench.run("say")
        assert (await bench.finished(run_id)).returned == "EXIT"
        assert bench.desk.job("waits").status == JobStatus.INVALID
        bench.write("waits", WAITS_FOR_WORD % "OK")
        await bench.reload()
        view = bench.desk.job("waits")
    assert (view.status, view.active) == (JobStatus.INACTIVE, False)


async def test_sleep_counts_although_the_file_went_bad_meanwhile(open_bench: OpenBench) -> None:
    async with open_bench({"say": SAY}) as bench:
        run_id = await going(bench, "SLEEP")
        await bench.run("say")
        run = await bench.finished(run_id)
        bench.write("waits", WAITS_FOR_WORD % "OK")
        await bench.reload()
        view = bench.desk.job("waits")
    assert view.status == JobStatus.SLEEPING
    assert view.next_run is not None
    assert run.started is not None
    assert (view.next_run - run.started).total_seconds() == 24 * 3600


async def test_a_run_that_waited_while_its_file_went_bad_ends_with_the_reason(open_bench: OpenBench) -> None:
    async with open_bench({"holder": HOLDER, "a": SAY}, toml="pool.size = 1") as bench:
        held = await hold(bench)
        waiting = await bench.desk.run_job("a", actor=ACTOR)
        bench.write("a", BAD)
        await bench.reload()
        await end(bench, held)
        run = await bench.finished(waiting.id)
        assert [event.status for event in bench.heard if isinstance(event, RunFinished)][-1] == "ERROR"
    assert run.status == "ERROR"
    assert "a.lua:1:" in (run.error or "")


#: What lets a database refuse runs, and what lets it take them again.
REFUSING = {
    SQLITE: (
        ["CREATE TRIGGER refused BEFORE INSERT ON run BEGIN SELECT RAISE(ABORT, 'no more runs'); END"],
        "DROP TRIGGER refused",
    ),
    POSTGRESQL: (
        [
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no more runs'; END $$",
            "CREATE TRIGGER refused BEFORE INSERT ON run FOR EACH ROW EXECUTE FUNCTION refuse()",
        ],
        "DROP TRIGGER refused ON run",
    ),
}


@pytest.mark.both_databases
async def test_who_asks_for_a_run_that_cannot_be_written_is_told(open_bench: OpenBench) -> None:
    async with open_bench({"say": SAY}) as bench:
        begin, end = REFUSING[bench.base.kind]
        for statement in begin:
            bench.base.rows(statement)
        with pytest.raises(StoreError, match="no more runs"):
            async with asyncio.timeout(20):
                await bench.desk.run_job("say", actor=ACTOR)
        bench.base.rows(end)
        assert (await bench.run("say")).status == RunStatus.COMPLETE
