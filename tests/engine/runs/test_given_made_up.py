"""What schedules given at run time make up for, and of which kinds they may be, in a real engine."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.errors import ScheduleError
from engine.events import RunsSkipped, RunStarted
from engine.rules.holds import HoldScope
from engine.rules.slots import Slot
from engine.states import RunStatus
from engine.store.database import open_database
from engine.store.slotqueries import SlotQueries
from engine.views import RunView, ScheduleView
from tests.engine.conftest import ACTOR, Bench, OpenBench, until

ECHO = """
local job = core.job { groups = { "night" } }
function job.run(run) return job.OK, { data = run.data, user = run.user_id } end
return job
"""
MAKES_UP = ECHO.replace("core.job {", "core.job { run_skipped = true,")
INACTIVE = ECHO.replace("core.job {", "core.job { active = false,")
DARK = ECHO.replace("core.job {", 'core.job { blackout = { "00:00-12:00", "12:00-24:00" }, every = "1h",')


async def give(bench: Bench, **options: Any) -> ScheduleView:
    return await bench.desk.schedules.add("echo", options, actor=ACTOR)


def slots_of(bench: Bench, schedule: ScheduleView) -> list[Slot]:
    database = open_database(bench.database_url)
    try:
        found = SlotQueries(database.reader).slots("echo")
    finally:
        database.close()
    return [slot for slot in found if slot.schedule_id == schedule.id]


async def made_up(bench: Bench) -> list[RunView]:
    runs = await bench.desk.runs(job="echo", limit=200)
    return [run for run in runs if run.trigger == "missed"]


async def passed(schedule: ScheduleView) -> None:
    """Wait until a schedule of one second was due twice."""
    assert schedule.due is not None
    later = schedule.due + timedelta(seconds=1.2)
    await until(lambda: datetime.now(UTC) > later)


async def test_one_run_makes_up_for_all_that_passed_while_no_engine_ran(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        chain = await give(bench, every="1s", run_skipped=True, data={"shop": 3}, user_id=7)
        other = await give(bench, every="1s", user_id=8)
    await passed(chain)
    async with open_bench() as bench:
        await until(lambda: bool(bench.ends("echo")))
        (run,) = await made_up(bench)
        run = await bench.finished(run.id)
        missed = [slot for slot in slots_of(bench, chain) if slot.fate == "missed"]
        assert [slot.run_id for slot in slots_of(bench, other) if slot.fate == "missed"] == [None]
    assert (run.status, run.schedule_id, run.user_id) == ("COMPLETE", chain.id, 7)
    assert run.result == {"data": {"shop": 3}, "user": 7}
    assert [(slot.run_id, slot.last_due) for slot in missed] == [(run.id, run.due)]
    assert (missed[0].count or 0) >= 2


async def test_the_jobs_setting_holds_unless_the_schedule_has_its_own(open_bench: OpenBench) -> None:
    async with open_bench({"echo": MAKES_UP}) as bench:
        as_the_job = await give(bench, every="1s", user_id=1)
        not_this_one = await give(bench, every="1s", user_id=2, run_skipped=False)
        assert (as_the_job.run_skipped, not_this_one.run_skipped) == (None, False)
    await passed(not_this_one)
    async with open_bench() as bench:
        await until(lambda: bool(bench.ends("echo")))
        assert [run.schedule_id for run in await made_up(bench)] == [as_the_job.id]


@pytest.mark.parametrize("text", [INACTIVE, DARK])
async def test_nothing_is_made_up_for_while_the_job_is_inactive_or_in_a_blackout(
    open_bench: OpenBench, text: str
) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        chain = await give(bench, every="1s", run_skipped=True)
    await passed(chain)
    async with open_bench({"echo": text}) as bench:
        await until(lambda: any(slot.fate == "missed" for slot in slots_of(bench, chain)))
        await until(lambda: any(slot.fate == "skipped" for slot in slots_of(bench, chain)))
        assert await made_up(bench) == []


async def test_what_passed_in_a_pause_is_made_up_for_also_after_a_restart(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        chain = await give(bench, every="1s", run_skipped=True, user_id=7)
        await bench.desk.holds.pause(HoldScope.JOB, "echo", until=None, note="deploy", actor=ACTOR)
        await bench.desk.holds.disable_group("night", actor=ACTOR)
        await until(lambda: any((slot.count or 0) > 1 for slot in slots_of(bench, chain)))
    async with open_bench() as bench:
        await bench.desk.holds.resume(HoldScope.JOB, "echo", actor=ACTOR)
        count = len(slots_of(bench, chain))
        await until(lambda: len(slots_of(bench, chain)) > count)
        assert await made_up(bench) == []
        await bench.desk.holds.enable_group("night", actor=ACTOR)
        await until(lambda: len(bench.ends("echo")) >= 2)
        (run,) = await made_up(bench)
        newest = slots_of(bench, chain)[0]
    assert (run.schedule_id, run.user_id, run.due) == (chain.id, 7, newest.last_due)
    assert newest.run_id == run.id


async def test_a_schedule_that_ends_in_a_pause_makes_up_first_and_is_over_then(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        await bench.desk.holds.pause(HoldScope.ENGINE, "", until=None, actor=ACTOR)
        expires = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
        chain = await give(bench, every="1s", expires=expires, run_skipped=True)
        await until(lambda: bool(slots_of(bench, chain)))
        view = await bench.desk.schedules.one(chain.id)
        assert (view.status, view.due) == ("ACTIVE", None)
    async with open_bench() as bench:
        await bench.desk.holds.resume(HoldScope.ENGINE, "", actor=ACTOR)
        await until(lambda: bool(bench.ends("echo")))
        (run,) = await made_up(bench)
        assert (run.schedule_id, run.due) == (chain.id, chain.due)

        async def over() -> bool:
            return (await bench.desk.schedules.one(chain.id)).status == "OVER"

        await until(over)


async def test_holds_that_end_together_make_up_for_it_once(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        holds = bench.desk.holds
        await holds.pause(HoldScope.JOB, "echo", until=None, actor=ACTOR)
        await holds.disable_group("night", actor=ACTOR)
        chain = await give(bench, every="1s", run_skipped=True)
        await until(lambda: bool(slots_of(bench, chain)))
        await asyncio.gather(
            holds.resume(HoldScope.JOB, "echo", actor=ACTOR), holds.enable_group("night", actor=ACTOR)
        )
        await until(
            lambda: any(isinstance(event, RunStarted) and event.trigger == "missed" for event in bench.heard)
        )
        ends = len(bench.ends("echo"))
        await until(lambda: len(bench.ends("echo")) > ends + 1)
        dues = [run.due for run in await made_up(bench)]
    assert len(dues) == len(set(dues)) == 1


async def test_what_a_given_schedule_missed_is_none_of_the_jobs_own_making_up(open_bench: OpenBench) -> None:
    text = MAKES_UP.replace("core.job {", 'core.job { every = "1h",')
    async with open_bench({"echo": text}) as bench:
        chain = await give(bench, every="1s", run_skipped=False)
        await bench.desk.holds.pause(HoldScope.JOB, "echo", until=None, actor=ACTOR)
        await until(lambda: bool(slots_of(bench, chain)))
        await bench.desk.holds.resume(HoldScope.JOB, "echo", actor=ACTOR)
        await until(lambda: len(bench.ends("echo")) >= 2)
        assert await made_up(bench) == []


async def test_times_that_make_no_run_are_told_once_for_each_reason(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        chain = await give(bench, every="1s")
        await bench.desk.holds.pause(HoldScope.GROUP, "night", until=None, note="deploy", actor=ACTOR)
        await until(lambda: any((slot.count or 0) > 1 for slot in slots_of(bench, chain)))
        told = [event for event in bench.heard if isinstance(event, RunsSkipped)]
        (slot,) = slots_of(bench, chain)
    assert [(event.job, event.cause, event.due) for event in told] == [("echo", "paused", chain.due)]
    assert slot.reason == f"schedule {chain.id}: group night is paused by tester@here: deploy"


async def test_a_retry_of_a_given_run_is_not_the_one_that_a_run_once_job_owes(open_bench: OpenBench) -> None:
    text = """
    local job = core.job { every = "1h", run_once = true }
    function job.run(run) if run.attempt == 1 then error("no") end return job.OK end
    return job
    """
    async with open_bench({"echo": text}) as bench:
        await give(bench, after=0, retries=1, retry_delay="100ms")
        await until(lambda: len(bench.ends("echo")) == 2)
        assert [end.status for end in bench.ends("echo")] == ["ERROR", "COMPLETE"]
        assert bench.desk.job("echo").status == "ONCE"


async def test_a_plugins_kind_of_schedule_may_be_given_and_survives_a_restart(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        chain = await give(bench, monthly="first day 06:30", timezone="Europe/Berlin")
        with pytest.raises(ScheduleError, match="monthly"):
            await give(bench, monthly="tenth moonday")
        with pytest.raises(ScheduleError, match="unknown option 'monthy'; did you mean monthly"):
            await give(bench, monthy="first day")
    assert chain.schedule == "monthly first day 06:30 (Europe/Berlin)"
    async with open_bench() as bench:
        (coming,) = bench.desk.coming(job="echo", since=None, count=1)
        assert (coming.due, coming.schedule_id) == (chain.due, chain.id)


async def test_a_schedule_whose_plugin_is_gone_waits_until_it_is_back(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        chain = await give(bench, monthly="first day")
    async with open_bench(toml='[plugins]\ndisable = ["monthly"]\n') as bench:
        assert bench.desk.coming(job="echo", since=None, count=1) == []
        assert (await bench.desk.schedules.one(chain.id)).status == "ACTIVE"
    async with open_bench() as bench:
        assert bench.desk.coming(job="echo", since=None, count=1)[0].due == chain.due
        assert await bench.desk.runs(status=RunStatus.PLANNED) == []
