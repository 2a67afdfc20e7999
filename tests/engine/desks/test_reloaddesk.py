"""What a reload would change, told before it; and that it is what the reload then does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import JobNotFound
from engine.views import PlannedChangeView, ReloadPlanView
from tests.engine.conftest import ACTOR, Bench, OpenBench


def job(settings: str, body: str = "return job.OK") -> str:
    return f"local job = core.job {{ {settings} }}\nfunction job.run(run)\n{body}\nend\nreturn job\n"


HOURLY = job('every = "1h", tags = { team = "shop" }')


def by_job(plan: ReloadPlanView) -> dict[str, PlannedChangeView]:
    return {one.job: one for one in plan.changes}


async def test_nothing_to_change_is_an_empty_plan(open_bench: OpenBench) -> None:
    async with open_bench({"a": HOURLY, "b": HOURLY}) as bench:
        plan = await bench.desk.reloads.plan()
        assert (plan.changes, plan.invalid, plan.unchanged) == ([], {}, 2)


async def test_jobs_that_come_go_and_break_are_told_and_nothing_changes(open_bench: OpenBench) -> None:
    async with open_bench({"goes": HOURLY, "breaks": HOURLY, "stays": HOURLY}) as bench:
        before = bench.desk.jobs()
        bench.write("comes", job('every = "5m"'))
        bench.write("breaks", job('evry = "5m"'))
        (bench.jobs_folder / "goes.lua").unlink()
        plan = await bench.desk.reloads.plan()
        assert bench.desk.jobs() == before
        planned = by_job(plan)
        assert {name: one.becomes for name, one in planned.items()} == {
            "comes": "added",
            "breaks": "invalid",
            "goes": "removed",
        }
        assert planned["comes"].next_run is not None
        assert planned["comes"].next_run - datetime.now(UTC) <= timedelta(minutes=5)
        assert planned["goes"].next_was is not None
        assert planned["goes"].next_run is None
        assert "evry" in planned["breaks"].reason
        assert list(plan.invalid) == ["breaks"]
        assert plan.unchanged == 1


async def test_changed_settings_are_named_with_the_next_run_before_and_after(open_bench: OpenBench) -> None:
    async with open_bench({"a": HOURLY}) as bench:
        bench.write("a", job('every = "2h", tags = { team = "shop" }, timeout = "5s"'))
        (one,) = (await bench.desk.reloads.plan()).changes
        assert (one.becomes, one.settings) == ("changed", ["every", "timeout"])
        assert one.next_was == bench.desk.job("a").next_run
        assert one.next_run is not None
        assert one.next_was is not None
        assert one.next_run - one.next_was > timedelta(minutes=30)


async def test_code_alone_changes_no_setting_and_no_time(open_bench: OpenBench) -> None:
    async with open_bench({"a": HOURLY}) as bench:
        bench.write("a", HOURLY + "-- another line\n")
        (one,) = (await bench.desk.reloads.plan()).changes
        assert (one.becomes, one.settings, one.next_run) == ("changed", [], one.next_was)


async def test_a_stopped_job_would_be_revived(open_bench: OpenBench) -> None:
    async with open_bench({"a": job('every = "1h"', "return job.STOP")}) as bench:
        await bench.run("a")
        (one,) = (await bench.desk.reloads.plan()).changes
        assert (one.becomes, one.was, one.status) == ("revived", "STOPPED", "WAITING")


async def test_changed_modules_are_told_again_by_the_reload_itself(open_bench: OpenBench) -> None:
    text = 'local money = require "lib.money"\n' + HOURLY
    async with open_bench({"a": text, "lib/money": "return {}\n"}) as bench:
        bench.write("lib/money", "return { tax = 19 }\n")
        assert (await bench.desk.reloads.plan()).modules == {"lib.money": ["a"]}
        assert (await bench.reload()).modules == {"lib.money": ["a"]}
        assert (await bench.desk.reloads.plan()).modules == {}


async def test_an_override_plan_says_what_operators_changed_and_keeps_it(open_bench: OpenBench) -> None:
    async with open_bench({"a": HOURLY}) as bench:
        await bench.desk.overrides.set("a", {}, {"every": "5m"}, actor=ACTOR)
        assert (await bench.desk.reloads.plan()).changes == []
        plan = await bench.desk.reloads.plan(override=True)
        assert plan.dropped == {"a": {"every": "5m"}}
        assert by_job(plan)["a"].settings == ["every"]
        assert bench.desk.job("a").schedule == "every 5m"


async def test_a_deactivated_job_would_come_back_only_with_the_files_switch(open_bench: OpenBench) -> None:
    async with open_bench({"a": HOURLY}) as bench:
        await bench.desk.deactivate("a", actor=ACTOR)
        assert (await bench.desk.reloads.plan()).changes == []
        (one,) = (await bench.desk.reloads.plan(override=True)).changes
        assert (one.becomes, one.was, one.status) == ("revived", "INACTIVE", "WAITING")
        assert bench.desk.job("a").status == "INACTIVE"


async def test_one_job_is_planned_alone_and_an_unknown_one_refused(open_bench: OpenBench) -> None:
    async with open_bench({"a": HOURLY, "b": HOURLY}) as bench:
        for name in ("a", "b"):
            bench.write(name, job('every = "2h"'))
        assert list(by_job(await bench.desk.reloads.plan("b"))) == ["b"]
        with pytest.raises(JobNotFound, match="no job"):
            await bench.desk.reloads.plan("c")


async def test_the_reload_does_what_was_planned(open_bench: OpenBench) -> None:
    async with open_bench({"goes": HOURLY, "breaks": HOURLY, "changes": HOURLY}) as bench:
        await change_folder(bench)
        plan, done = await bench.desk.reloads.plan(), await bench.reload()
        words = {one.job: one.becomes for one in plan.changes}
        assert done.added == [name for name, word in words.items() if word == "added"]
        assert done.removed == [name for name, word in words.items() if word == "removed"]
        assert done.invalid == plan.invalid
        for one in plan.changes:
            if one.status:
                assert bench.desk.job(one.job).status == one.status


async def change_folder(bench: Bench) -> None:
    bench.write("comes", HOURLY)
    bench.write("breaks", "local job = ")
    bench.write("changes", job('every = "3h"'))
    (bench.jobs_folder / "goes.lua").unlink()
