"""What `moontide why` tells of times that more than a job's file plans, from a real engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.rules.holds import HoldScope
from engine.times.clock import ManualClock
from engine.views import SlotView
from tests.engine.conftest import ACTOR, Bench, OpenBench, until

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

DAILY = """
local job = core.job { cron = "0 3 * * *" }
function job.run() return job.OK end
return job
"""
ASKED = "local job = core.job() function job.run() return job.OK end return job"


async def found(bench: Bench, job: str, at: datetime) -> list[SlotView]:
    return (await bench.desk.ledger.why(job, at=at)).found


async def test_the_schedule_that_an_operator_set_tells_what_is_planned(open_bench: OpenBench) -> None:
    async with open_bench({"a": DAILY}, clock=ManualClock(NOON)) as bench:
        await bench.desk.overrides.set("a", {"cron": "30 * * * *"}, {}, actor=ACTOR)
        assert [slot.fate for slot in await found(bench, "a", NOON + 90 * MINUTE)] == ["planned"]
        view = await bench.desk.ledger.why("a", at=NOON + 16 * HOUR)
        assert (view.found, view.after and view.after.due) == ([], NOON + 16.5 * HOUR)


async def test_a_time_of_a_given_schedule_is_planned(open_bench: OpenBench) -> None:
    async with open_bench({"a": ASKED}, clock=ManualClock(NOON)) as bench:
        given = await bench.desk.schedules.add("a", {"cron": "30 * * * *", "user_id": 7}, actor=ACTOR)
        (slot,) = await found(bench, "a", NOON + 150 * MINUTE)
        assert (slot.fate, slot.schedule_id) == ("planned", given.id)
        assert slot.reason == f"schedule {given.id} for user 7"


async def test_the_nearest_times_are_those_of_given_schedules_too(open_bench: OpenBench) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"a": DAILY}, clock=clock) as bench:
        given = await bench.desk.schedules.add("a", {"cron": "30 * * * *"}, actor=ACTOR)
        once = {"at": (NOON + 2 * HOUR).isoformat()}
        single = await bench.desk.schedules.add("a", once, actor=ACTOR)
        clock.advance(1800)
        await until(lambda: bool(bench.ends("a")))
        view = await bench.desk.ledger.why("a", at=NOON + 40 * MINUTE)
        assert view.before is not None
        assert (view.before.fate, view.before.due, view.before.schedule_id) == (
            "ran",
            NOON + HOUR / 2,
            given.id,
        )
        later = await bench.desk.ledger.why("a", at=NOON + 100 * MINUTE)
        assert later.after is not None
        assert (later.after.due, later.after.schedule_id) == (NOON + 2 * HOUR, single.id)


async def test_a_planned_time_tells_what_will_keep_the_job_from_running(open_bench: OpenBench) -> None:
    async with open_bench({"a": DAILY}, clock=ManualClock(NOON)) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "a", until=NOON + 20 * HOUR, note="deploy", actor=ACTOR)
        (held,) = await found(bench, "a", NOON + 15 * HOUR)
        (free,) = await found(bench, "a", NOON + 39 * HOUR)
        assert held.reason.startswith("no run while this holds: paused until")
        assert (free.fate, free.reason) == ("planned", "")


async def test_a_given_schedules_time_in_a_blackout_is_told_so(open_bench: OpenBench) -> None:
    dark = DAILY.replace("cron", 'blackout = "14:00-15:00", cron')
    async with open_bench({"a": dark}, clock=ManualClock(NOON)) as bench:
        await bench.desk.schedules.add("a", {"cron": "30 * * * *"}, actor=ACTOR)
        (slot,) = await found(bench, "a", NOON + 150 * MINUTE)
        assert slot.reason == "schedule 1; no run: the blackout 14:00-15:00"


async def test_a_given_schedule_does_not_hide_that_a_job_is_off(open_bench: OpenBench) -> None:
    clock = ManualClock(NOON)
    async with open_bench({"a": DAILY}, clock=clock) as bench:
        await bench.desk.schedules.add("a", {"cron": "30 * * * *"}, actor=ACTOR)
        await bench.desk.deactivate("a", actor=ACTOR)
        clock.advance(16 * 3600)

        async def noted() -> bool:
            return any(slot.schedule_id for slot in await bench.desk.ledger.slots("a"))

        await until(noted)
        (slot,) = await found(bench, "a", NOON + 15 * HOUR)
        assert (slot.fate, slot.reason) == ("skipped", "the job is INACTIVE: by operator")
