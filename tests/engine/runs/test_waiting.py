"""What becomes of runs that wait when their job changes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.rules.holds import HoldScope
from engine.states import RunStatus
from engine.times.clock import ManualClock
from engine.views import RunView
from tests.engine.conftest import ACTOR, Bench, OpenBench, until

#: Holds the only place until it is cancelled.
BLOCKER = """
local job = core.job {}
function job.run(run) while not job.stopping() do core.sleep(0.05) end return job.OK end
return job
"""
TICK = """
local job = core.job { every = "1s" }
function job.run() return job.OK end
return job
"""
ONE_PLACE = "[pool]\nsize = 1\n"


async def waiting(bench: Bench) -> tuple[RunView, RunView]:
    """Return a run of `blocker` that goes on, and one of the schedule of `tick` that waits for it."""
    blocker = await bench.desk.run_job("blocker", actor=ACTOR)

    async def waits() -> bool:
        return bool(await bench.desk.runs(job="tick"))

    await until(waits)
    return blocker, (await bench.desk.runs(job="tick"))[0]


async def skipped(bench: Bench, run: RunView) -> str | None:
    """Return why a run was skipped, while what it waited for goes on."""
    ended = await bench.finished(run.id)
    assert (ended.status, ended.started) == ("SKIPPED", None)
    assert bench.desk.job("blocker").activity == "running"
    return ended.error


async def test_a_waiting_scheduled_run_ends_at_once_when_its_job_is_deactivated(
    open_bench: OpenBench,
) -> None:
    async with open_bench({"blocker": BLOCKER, "tick": TICK}, ONE_PLACE) as bench:
        _, run = await waiting(bench)
        await bench.desk.deactivate("tick", actor=ACTOR)
        reason = "the job went INACTIVE while this run waited: by operator"
        assert await skipped(bench, run) == reason
        (told,) = (await bench.desk.ledger.why("tick", at=run.due, within_seconds=0.5)).found
        assert (told.fate, told.reason, told.run) == ("skipped", reason, run.id)


async def test_a_waiting_run_that_was_asked_for_goes_on_waiting(open_bench: OpenBench) -> None:
    async with open_bench({"blocker": BLOCKER, "tick": TICK}, ONE_PLACE) as bench:
        blocker, _ = await waiting(bench)
        asked = await bench.desk.run_job("tick", actor=ACTOR)
        await bench.desk.deactivate("tick", actor=ACTOR)
        await bench.desk.cancel(blocker.id, actor=ACTOR)
        assert (await bench.finished(asked.id)).status == "COMPLETE"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            TICK.replace("every", "active = false, every"),
            "INACTIVE while this run waited: active = false in its file",
        ),
        ("local job = core.job {", "INVALID while this run waited: tick.lua:1:"),
    ],
)
async def test_a_waiting_scheduled_run_ends_at_once_when_its_file_says_so(
    open_bench: OpenBench, text: str, reason: str
) -> None:
    async with open_bench({"blocker": BLOCKER, "tick": TICK}, ONE_PLACE) as bench:
        _, run = await waiting(bench)
        bench.write("tick", text)
        await bench.reload("tick")
        assert reason in (await skipped(bench, run) or "")


async def test_a_waiting_run_ends_at_once_when_its_job_joins_a_disabled_group(open_bench: OpenBench) -> None:
    other = TICK.replace('"1s"', '"1h", groups = "night"')
    async with open_bench({"blocker": BLOCKER, "tick": TICK, "other": other}, ONE_PLACE) as bench:
        await bench.desk.holds.disable_group("night", actor=ACTOR)
        _, run = await waiting(bench)
        bench.write("tick", TICK.replace("every", 'groups = "night", every'))
        await bench.reload("tick")
        assert await skipped(bench, run) == "group night is disabled by tester@here"


async def test_a_waiting_run_ends_at_once_when_a_group_of_its_job_is_disabled(open_bench: OpenBench) -> None:
    tick = TICK.replace("every", 'groups = "night", every')
    async with open_bench({"blocker": BLOCKER, "tick": tick}, ONE_PLACE) as bench:
        _, run = await waiting(bench)
        await bench.desk.holds.disable_group("night", note="moving", actor=ACTOR)
        reason = "group night is disabled by tester@here: moving"
        assert await skipped(bench, run) == reason
        (told,) = (await bench.desk.ledger.why("tick", at=run.due, within_seconds=0.5)).found
        assert (told.fate, told.reason) == ("skipped", reason)


async def test_a_waiting_scheduled_run_waits_for_the_end_of_a_pause(open_bench: OpenBench) -> None:
    async with open_bench({"blocker": BLOCKER, "tick": TICK}, ONE_PLACE) as bench:
        blocker, run = await waiting(bench)
        await bench.desk.holds.pause(HoldScope.JOB, "tick", until=None, actor=ACTOR)
        await bench.desk.cancel(blocker.id, actor=ACTOR)
        await bench.finished(blocker.id)
        assert (await bench.desk.run(run.id)).waits_for == "the job is paused by tester@here"
        await bench.desk.holds.resume(HoldScope.JOB, "tick", actor=ACTOR)
        assert (await bench.finished(run.id)).status == "COMPLETE"


FAILS = """
local job = core.job { retries = 1, retry_delay = "100ms" }
function job.run() error("no toys left") end
return job
"""


async def test_a_retry_that_waits_for_the_end_of_a_pause_ends_at_once_when_its_job_is_deactivated(
    open_bench: OpenBench,
) -> None:
    clock = ManualClock(datetime(2026, 3, 2, 12, tzinfo=UTC))
    async with open_bench({"fails": FAILS}, clock=clock) as bench:
        await bench.run("fails")
        await bench.desk.holds.pause(HoldScope.JOB, "fails", until=None, actor=ACTOR)
        (retry,) = await bench.desk.runs(job="fails", status=RunStatus.PLANNED)
        clock.advance(1)
        await bench.desk.deactivate("fails", actor=ACTOR)
        ended = await bench.finished(retry.id)
        assert ended.error == "job fails was switched off before this run began"
