"""The engine's own clean-up, in a real engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import JobFileError, Refused, RunNotFound
from engine.runfilter import RunFilter
from engine.runs.cleanup import NAME
from tests.engine.conftest import ACTOR, OpenBench, until

GONE = """
local job = core.job { remove_after = 0 }
function job.run(run) core.log("a word") return job.OK, run.data end
return job
"""
STAYS = "local job = core.job {}\nfunction job.run() return job.OK end\nreturn job\n"


async def test_the_clean_up_is_a_job_like_others_that_has_no_file(open_bench: OpenBench) -> None:
    async with open_bench({"stays": STAYS}) as bench:
        assert [job.name for job in bench.desk.jobs()] == [NAME, "stays"]
        view = bench.desk.job(NAME)
        assert (view.status, view.schedule, view.path) == ("WAITING", "every 1h", "")
        with pytest.raises(JobFileError, match="the engine's own and has no file"):
            await bench.desk.job_source(NAME)
        with pytest.raises(Refused, match="deactivate it instead"):
            await bench.desk.delete_job(NAME, actor=ACTOR)
        with pytest.raises(JobFileError, match="moontide/ is for the engine's own jobs"):
            await bench.desk.write_job("moontide/x", STAYS, expected_hash=None, create=True, actor=ACTOR)
        await bench.desk.deactivate(NAME, actor=ACTOR)
        await bench.reload()
        assert bench.desk.job(NAME).status == "INACTIVE"


async def test_a_file_with_its_name_does_not_take_its_place(open_bench: OpenBench) -> None:
    async with open_bench({NAME: STAYS, "moontide/x": STAYS}) as bench:
        assert bench.desk.job(NAME).status == "WAITING"
        assert "for the engine's own jobs" in bench.desk.job("moontide/x").reason


async def test_it_removes_runs_with_their_words_and_sources(open_bench: OpenBench) -> None:
    async with open_bench({"gone": GONE, "stays": STAYS}) as bench:
        gone, stays = await bench.run("gone"), await bench.run("stays")
        assert [run.id for run in await bench.desk.history.find(RunFilter(text="word"))] == [gone.id]
        done = await bench.run(NAME)
        aged = {"alerts": 0, "slots": 0, "schedules": 0, "audit": 0}
        assert (done.status, done.result) == ("COMPLETE", {"runs": 1, "sources": 1, **aged})
        assert [line.text for line in await bench.desk.log(done.id)] == [
            "removed 1 runs with their logs, and 1 sources that no run needs",
            "removed of other records: alerts 0, slots 0, schedules 0, audit 0",
        ]
        with pytest.raises(RunNotFound):
            await bench.desk.run(gone.id)
        assert (await bench.desk.run(stays.id)).status == "COMPLETE"
        assert await bench.desk.history.find(RunFilter(text="word")) == []


async def test_a_source_that_was_removed_is_kept_again_with_its_next_run(open_bench: OpenBench) -> None:
    async with open_bench({"gone": GONE}) as bench:
        await bench.run("gone")
        await bench.run(NAME)
        again = await bench.run("gone")
        assert (await bench.desk.history.source(again.id)).text == GONE


async def test_of_each_job_the_newest_runs_stay(open_bench: OpenBench) -> None:
    toml = "[retention]\nruns = 2\n"
    async with open_bench({"stays": STAYS}, toml) as bench:
        ids = [(await bench.run("stays")).id for _ in range(4)]
        await bench.run(NAME)
        assert [run.id for run in await bench.desk.runs(job="stays")] == [ids[3], ids[2]]


async def test_what_operators_did_is_removed_after_its_time(open_bench: OpenBench) -> None:
    async with open_bench({"stays": STAYS}, "retention.audit = 1") as bench:
        await bench.run("stays")
        await bench.run("stays")
        (newest, *_) = first = await bench.desk.audit.entries()
        await until(lambda: datetime.now(UTC) - newest.at > timedelta(seconds=1))
        await bench.reload()
        done = await bench.run(NAME)
        assert isinstance(done.result, dict)
        assert done.result["audit"] == len(first)
        assert "stays" not in {entry.target for entry in await bench.desk.audit.entries()}
