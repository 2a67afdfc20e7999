"""What a retry means for its job, in a real engine."""

from __future__ import annotations

from tests.engine.conftest import ACTOR, OpenBench, until

FAILS_FIRST = """
local job = core.job { SETTINGS, run_once = true, retries = 1, retry_delay = "100ms" }
function job.run(run) if run.attempt == 1 then error("no") end return job.OK end
return job
"""
LATER = FAILS_FIRST.replace("SETTINGS", 'every = "1h"')
AT_ONCE = FAILS_FIRST.replace("SETTINGS", "run_at_start = true")


async def test_a_retry_of_a_run_by_hand_is_not_the_one_that_a_run_once_job_owes(
    open_bench: OpenBench,
) -> None:
    async with open_bench({"once": LATER}) as bench:
        await bench.desk.run_job("once", actor=ACTOR)
        await until(lambda: len(bench.ends("once")) == 2)
        assert [end.status for end in bench.ends("once")] == ["ERROR", "COMPLETE"]
        job = bench.desk.job("once")
    assert (job.status, job.next_run is not None) == ("ONCE", True)


async def test_a_retry_of_the_run_that_a_run_once_job_owes_stands_for_it(open_bench: OpenBench) -> None:
    async with open_bench({"once": AT_ONCE}) as bench:
        await until(lambda: len(bench.ends("once")) == 2)
        assert [end.status for end in bench.ends("once")] == ["ERROR", "COMPLETE"]
        job = bench.desk.job("once")
    assert (job.status, job.next_run) == ("ONCE DONE", None)
