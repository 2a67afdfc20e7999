"""on_error = "sleep": a failed run lets its job sleep for a day."""

from __future__ import annotations

from engine.states import JobStatus
from tests.engine.conftest import OpenBench, open_bench, until

__all__ = ["open_bench"]

FAILING = """
local job = core.job { every = "1h", on_error = "sleep" }
function job.run(run) if run.data.good then return job.OK end error("no moon") end
return job
"""


async def test_a_job_sleeps_for_a_day_after_a_failure_and_a_good_run_wakes_it(open_bench: OpenBench) -> None:
    async with open_bench({"report": FAILING}) as bench:
        run = await bench.run("report")
        await until(lambda: bench.desk.job("report").status == JobStatus.SLEEPING)
        asleep = bench.desk.job("report")
        await bench.run("report", {"good": True})
        await until(lambda: bench.desk.job("report").status == JobStatus.WAITING)
        awake = bench.desk.job("report")
    assert asleep.active
    assert asleep.next_run is not None
    assert run.started is not None
    assert (asleep.next_run - run.started).total_seconds() == 86_400
    assert "no moon" in (asleep.error or "")
    assert awake.error is None
