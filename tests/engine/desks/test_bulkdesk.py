"""One action on many jobs or runs, in a real engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.bulk import BulkAction, Chosen
from engine.errors import Refused
from engine.views import BulkView
from tests.engine.conftest import ACTOR, Bench, OpenBench

JOB = "local job = core.job { %s } function job.run(run) return job.OK, run.data end return job"
LATER = """
local job = core.job()
function job.run() return job.OK, { core.jobs.after("1h", "shop/b") } end
return job
"""
JOBS = {
    "shop/a": JOB % 'groups = "night", tags = { team = "web" }',
    "shop/b": JOB % 'groups = { "night", "day" }, tags = { team = "shop" }',
    "other": JOB % 'tags = { "web" }',
    "broken": "this is no Lua",
}


async def act(bench: Bench, action: str, chosen: Chosen, **more: object) -> list[BulkView]:
    return await bench.desk.bulk.act(BulkAction(action), chosen, actor=ACTOR, **more)  # type: ignore[arg-type]


async def targets(bench: Bench, chosen: Chosen) -> list[str]:
    return [view.target for view in await act(bench, "deactivate", chosen)]


async def test_names_patterns_and_options_choose_jobs(open_bench: OpenBench) -> None:
    async with open_bench(JOBS) as bench:
        assert await targets(bench, Chosen(("other", "shop/*", "shop/a"))) == ["other", "shop/a", "shop/b"]
        assert await targets(bench, Chosen(group="day")) == ["shop/b"]
        assert await targets(bench, Chosen(tags={"team": ""})) == ["shop/a", "shop/b"]
        assert await targets(bench, Chosen(tags={"team": "web"}, group="night")) == ["shop/a"]
        assert await targets(bench, Chosen(("*",), group="night", tags={"team": "shop"})) == ["shop/b"]
        assert await targets(bench, Chosen(status="invalid")) == ["broken"]
        assert await targets(bench, Chosen(("other",), group="day")) == []


async def test_each_item_has_its_result_and_a_failure_stops_no_other(open_bench: OpenBench) -> None:
    async with open_bench(JOBS) as bench:
        views = await act(
            bench, "run", Chosen(("shop/a", "broken", "othr", "none/*", "other")), data={"n": 7}
        )
        told = {view.target: (view.ok, view.message) for view in views}
        assert {name for name, (ok, _) in told.items() if ok} == {"shop/a", "other"}
        assert "cannot run" in told["broken"][1]
        assert "did you mean other" in told["othr"][1]
        assert told["none/*"][1] == "no job's name matches none/*"
        run = (await bench.desk.runs(job="shop/a"))[0]
        assert (await bench.finished(run.id)).result == {"n": 7}


async def test_many_jobs_are_paused_and_resumed(open_bench: OpenBench) -> None:
    async with open_bench(JOBS) as bench:
        end = datetime.now(UTC) + timedelta(hours=1)
        views = await act(bench, "pause", Chosen(("shop/*",)), until=end, note="stocktaking")
        assert all(view.ok and "stocktaking" in view.message for view in views)
        assert bench.desk.job("shop/b").paused_until == end
        again = await act(bench, "resume", Chosen(("shop/*", "other")))
        assert [(view.target, view.ok) for view in again] == [
            ("shop/a", True),
            ("shop/b", True),
            ("other", False),
        ]


async def test_cancelling_a_job_ends_all_its_runs_planned_ones_too(open_bench: OpenBench) -> None:
    async with open_bench({**JOBS, "later": LATER}) as bench:
        planned = (await bench.run("later")).result[0]
        await act(bench, "pause", Chosen(("shop/b",)))
        waiting = await bench.desk.run_job("shop/b", actor=ACTOR)
        views = await act(bench, "cancel", Chosen(("shop/*",), runs=(999,)))
        assert [(view.target, view.ok) for view in views] == [
            ("999", False),
            (str(waiting.id), True),
            (str(planned), True),
        ]
        assert (await bench.desk.run(planned)).status == "CANCELLED"


async def test_what_says_nothing_or_does_not_fit_is_refused(open_bench: OpenBench) -> None:
    async with open_bench(JOBS) as bench:
        with pytest.raises(Refused, match="say which jobs"):
            await act(bench, "run", Chosen())
        with pytest.raises(Refused, match="to jobs, not to runs"):
            await act(bench, "run", Chosen(runs=(1,)))


async def test_each_item_stands_in_the_audit_trail(open_bench: OpenBench) -> None:
    async with open_bench(JOBS) as bench:
        await act(bench, "deactivate", Chosen(group="night"))
        entries = await bench.desk.audit.entries()
    assert {(entry.action, entry.target) for entry in entries} == {
        ("deactivate", "shop/a"),
        ("deactivate", "shop/b"),
    }
