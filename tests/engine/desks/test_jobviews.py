"""What lists show of jobs is the same as what their pages show."""

from __future__ import annotations

from engine.events import JobsReloaded
from engine.rules.holds import HoldScope
from engine.views import listed
from tests.engine.conftest import ACTOR, OpenBench

SETTINGS = 'every = "1h", description = "Counts toys", tags = { team = "shop" }, groups = { "night" }'
JOBS = {
    "plain": "local job = core.job {}\nfunction job.run(run) return job.OK end\nreturn job\n",
    "rich": f"local job = core.job {{ {SETTINGS} }}\nfunction job.run(run) return job.OK end\nreturn job\n",
    "fails": 'local job = core.job {}\nfunction job.run(run) error("no toys") end\nreturn job\n',
    "torn": "local job =",
}


async def test_a_list_shows_the_same_as_the_page_of_each_job(open_bench: OpenBench) -> None:
    async with open_bench(JOBS, 'permissions = "declared"\n') as bench:
        await bench.run("plain")
        await bench.run("fails")
        await bench.desk.overrides.set("rich", {}, {"timeout": "30s"}, actor=ACTOR)
        await bench.desk.deactivate("rich", actor=ACTOR)
        await bench.desk.holds.pause(HoldScope.JOB, "plain", until=None, note="stocktaking", actor=ACTOR)
        jobs = {job.name: job for job in bench.desk.listed_jobs()}
        assert list(jobs.values()) == [listed(view) for view in bench.desk.jobs()]
        assert jobs["rich"].by_operator == ("timeout",)
        assert jobs["torn"].schedule == ""
        assert jobs["fails"].alerts
        assert "stocktaking" in jobs["plain"].paused


async def test_a_reload_names_jobs_that_stand_otherwise_though_their_files_are_as_before(
    open_bench: OpenBench,
) -> None:
    async with open_bench({"plain": JOBS["plain"], "rich": JOBS["rich"]}) as bench:
        await bench.desk.deactivate("plain", actor=ACTOR)
        bench.heard.clear()
        await bench.desk.reload(override=True, actor=ACTOR)
        told = [event for event in bench.heard if isinstance(event, JobsReloaded)]
        assert [(event.changed, event.others) for event in told] == [((), ("plain",))]
        assert bench.desk.job("plain").active
