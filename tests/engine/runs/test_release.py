"""What jobs with `run_skipped` make up for once nothing holds them any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.rules.holds import HoldScope
from engine.states import Cause
from engine.times.clock import ManualClock
from tests.engine.conftest import ACTOR, Bench, OpenBench, until

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

HOURLY = """
local job = core.job { cron = "0 * * * *", run_skipped = true, groups = { "night" } }
function job.run() return job.OK end
return job
"""


async def pass_over(bench: Bench, clock: ManualClock, seconds: float = 3600) -> None:
    """Let the next due time of `hourly` come, and pass because it is held."""
    before = await bench.desk.ledger.slots("hourly")
    clock.advance(seconds)

    async def noted() -> bool:
        return await bench.desk.ledger.slots("hourly") != before

    await until(noted)


async def made_up(bench: Bench) -> list[datetime]:
    """Return for which times runs were made up."""
    runs = await bench.desk.runs(job="hourly")
    for run in runs:
        await bench.finished(run.id)
    return [run.due for run in runs if run.trigger == "missed"]


@pytest.mark.parametrize("down", [600, 4 * 3600])
async def test_a_pause_that_ended_while_no_engine_ran_is_made_up_for_once(
    open_bench: OpenBench, down: float
) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": HOURLY}, clock=clock) as bench:
        until_then = NOON + timedelta(minutes=65)
        await bench.desk.holds.pause(HoldScope.JOB, "hourly", until=until_then, actor=ACTOR)
        await pass_over(bench, clock)
    clock.advance(down)
    async with open_bench(clock=clock) as bench:
        await until(lambda: bool(bench.ends("hourly")))
        last = NOON + HOUR + HOUR * (down // 3600)
        assert await made_up(bench) == [last]
    async with open_bench(clock=clock) as bench:
        assert await made_up(bench) == [last]


async def test_what_passed_is_not_made_up_for_while_a_job_is_still_held(open_bench: OpenBench) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": HOURLY}, clock=clock) as bench:
        await bench.desk.holds.disable_group("night", actor=ACTOR)
        await pass_over(bench, clock)
    async with open_bench(clock=clock) as bench:
        assert await made_up(bench) == []
        await bench.desk.holds.enable_group("night", actor=ACTOR)
        await until(lambda: bool(bench.ends("hourly")))
        assert await made_up(bench) == [NOON + HOUR]


async def test_a_job_that_leaves_a_disabled_group_makes_up_for_what_passed(open_bench: OpenBench) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": HOURLY}, clock=clock) as bench:
        await bench.desk.holds.disable_group("night", actor=ACTOR)
        await pass_over(bench, clock)
        bench.write("hourly", HOURLY.replace('"night"', '"day"'))
        await bench.reload("hourly")
        await until(lambda: bool(bench.ends("hourly")))
        assert await made_up(bench) == [NOON + HOUR]


async def test_a_job_whose_file_left_a_paused_group_while_no_engine_ran_makes_up_for_it(
    open_bench: OpenBench,
) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": HOURLY}, clock=clock) as bench:
        await bench.desk.holds.pause(HoldScope.GROUP, "night", until=None, actor=ACTOR)
        await pass_over(bench, clock)
    async with open_bench({"hourly": HOURLY.replace('"night"', '"day"')}, clock=clock) as bench:
        await until(lambda: bool(bench.ends("hourly")))
        assert await made_up(bench) == [NOON + HOUR]


async def test_a_job_that_was_switched_off_meanwhile_makes_up_for_nothing(open_bench: OpenBench) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": HOURLY}, clock=clock) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "hourly", until=None, actor=ACTOR)
        await pass_over(bench, clock)
        await bench.desk.deactivate("hourly", actor=ACTOR)
        await bench.desk.holds.resume(HoldScope.JOB, "hourly", actor=ACTOR)
    async with open_bench(clock=clock) as bench:
        assert await made_up(bench) == []


async def test_the_time_that_is_made_up_for_names_its_run(open_bench: OpenBench) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": HOURLY}, clock=clock) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "hourly", until=NOON + HOUR * 1.5, actor=ACTOR)
        await pass_over(bench, clock)
    clock.advance(1900)
    async with open_bench(clock=clock) as bench:
        await until(lambda: bool(bench.ends("hourly")))
        (slot,) = await bench.desk.ledger.slots("hourly")
        assert (slot.cause, slot.run) == (Cause.PAUSED, bench.ends("hourly")[0].run)


ECHO = HOURLY.replace('cron = "0 * * * *", run_skipped = true, ', "")


@pytest.mark.parametrize("down", [600, 4 * 3600])
async def test_a_given_schedule_makes_up_once_for_a_pause_that_ended_while_no_engine_ran(
    open_bench: OpenBench, down: float
) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": ECHO}, clock=clock) as bench:
        await bench.desk.schedules.add("hourly", {"cron": "0 * * * *", "run_skipped": True}, actor=ACTOR)
        until_then = NOON + timedelta(minutes=65)
        await bench.desk.holds.pause(HoldScope.JOB, "hourly", until=until_then, actor=ACTOR)
        await pass_over(bench, clock)
    clock.advance(down)
    async with open_bench(clock=clock) as bench:
        await until(lambda: bool(bench.ends("hourly")))
        assert await made_up(bench) == [NOON + HOUR + HOUR * (down // 3600)]


async def test_a_given_schedule_of_a_job_that_leaves_a_disabled_group_makes_up_for_what_passed(
    open_bench: OpenBench,
) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": ECHO}, clock=clock) as bench:
        await bench.desk.schedules.add("hourly", {"cron": "0 * * * *", "run_skipped": True}, actor=ACTOR)
        await bench.desk.holds.disable_group("night", actor=ACTOR)
        await pass_over(bench, clock)
        bench.write("hourly", ECHO.replace('"night"', '"day"'))
        await bench.reload("hourly")
        await until(lambda: bool(bench.ends("hourly")))
        assert await made_up(bench) == [NOON + HOUR]


async def test_all_times_that_a_machine_slept_through_in_a_pause_passed_for_the_pause(
    open_bench: OpenBench,
) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": HOURLY}, clock=clock) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "hourly", until=None, actor=ACTOR)
        await pass_over(bench, clock, 5 * 3600)
        (slot,) = await bench.desk.ledger.slots("hourly")
        assert (slot.cause, slot.count, slot.last_due) == (Cause.PAUSED, 5, NOON + 5 * HOUR)
        await bench.desk.holds.resume(HoldScope.JOB, "hourly", actor=ACTOR)
        await until(lambda: bool(bench.ends("hourly")))
        assert await made_up(bench) == [NOON + 5 * HOUR]


async def test_a_time_at_the_end_of_a_pause_makes_its_run(open_bench: OpenBench) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": HOURLY}, clock=clock) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "hourly", until=NOON + HOUR, actor=ACTOR)
        clock.advance(3600)
        await until(lambda: bool(bench.ends("hourly")))
        assert [(run.trigger, run.due) for run in await bench.desk.runs(job="hourly")] == [
            ("schedule", NOON + HOUR)
        ]


async def test_two_pauses_that_end_at_the_same_time_are_made_up_for_once(open_bench: OpenBench) -> None:
    clock, end = ManualClock(NOON), NOON + HOUR * 1.5
    async with open_bench({"hourly": HOURLY}, clock=clock) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "hourly", until=end, actor=ACTOR)
        await bench.desk.holds.pause(HoldScope.ENGINE, "", until=end, actor=ACTOR)
        await pass_over(bench, clock)
        clock.advance(1800)
        await until(lambda: bool(bench.ends("hourly")))
    async with open_bench(clock=clock) as bench:
        assert await made_up(bench) == [NOON + HOUR]


async def test_a_schedule_that_is_changed_in_a_pause_does_not_make_it_forget(open_bench: OpenBench) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"hourly": HOURLY}, clock=clock) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "hourly", until=None, actor=ACTOR)
        await pass_over(bench, clock)
        bench.write("hourly", HOURLY.replace("0 * * * *", "30 * * * *"))
        await bench.reload("hourly")
        await bench.desk.holds.resume(HoldScope.JOB, "hourly", actor=ACTOR)
        await until(lambda: bool(bench.ends("hourly")))
        assert await made_up(bench) == [NOON + HOUR]
