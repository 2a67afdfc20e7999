"""Groups and pauses in a real engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import NotFound, Refused
from engine.events import HoldChanged, RunFinished, RunsSkipped
from engine.rules.holds import HoldScope
from engine.rules.slots import Slot
from engine.states import Cause, Fate
from engine.store.database import open_database
from engine.store.slotqueries import SlotQueries
from engine.views import GroupView, RunView
from tests.engine.conftest import ACTOR, Bench, OpenBench, until

TICK = """
local job = core.job { every = "1s", groups = { "night" } }
function job.run() return job.OK end
return job
"""
HAND = 'local job = core.job { groups = { "night", "shop" } } function job.run() return job.OK end return job'
SLEEPER = (
    'local job = core.job { groups = "shop" } function job.run() core.sleep(60) return job.OK end return job'
)
LATER = """
local job = core.job()
function job.run() return job.OK, { core.jobs.after("0.2s", "hand") } end
return job
"""


def skipped(bench: Bench, job: str) -> list[Slot]:
    """Return the due times of a job that the ledger holds as skipped."""
    database = open_database(bench.database_url)
    try:
        found = SlotQueries(database.reader).slots(job)
    finally:
        database.close()
    return [slot for slot in found if slot.fate is Fate.SKIPPED]


async def test_a_disabled_group_lets_none_of_its_jobs_run(open_bench: OpenBench) -> None:
    async with open_bench({"tick": TICK, "hand": HAND}) as bench:
        await bench.desk.holds.disable_group("night", note="moving", actor=ACTOR)
        view = bench.desk.job("tick")
        assert (view.status, view.next_run) == ("DISABLED", None)
        assert view.reason == "group night is disabled by tester@here: moving"
        with pytest.raises(Refused, match="group night is disabled"):
            await bench.desk.run_job("hand", actor=ACTOR)
        assert bench.desk.status().jobs_by_status == {"DISABLED": 2, "WAITING": 1}


async def test_due_times_of_a_disabled_job_are_noted_and_not_made_up_for(open_bench: OpenBench) -> None:
    async with open_bench({"tick": TICK}) as bench:
        await bench.desk.holds.disable_group("night", actor=ACTOR)
        await until(lambda: bool(skipped(bench, "tick")))
        await bench.desk.holds.enable_group("night", actor=ACTOR)
        assert bench.desk.job("tick").status == "WAITING"
        await until(lambda: bool(bench.ends("tick")))
        runs = await bench.desk.runs(job="tick")
        (slot,) = skipped(bench, "tick")
    assert slot.cause is Cause.GROUP
    assert all(run.due > slot.last_due for run in runs)
    assert {run.trigger for run in runs} == {"schedule"}


MAKES_UP = """
local job = core.job { every = "1s", groups = { "night" }, run_skipped = true }
function job.run() return job.OK end
return job
"""


async def made_up(bench: Bench) -> list[RunView]:
    return [run for run in await bench.desk.runs(job="tick", limit=200) if run.trigger == "missed"]


async def test_a_job_that_makes_up_runs_once_for_what_passed_while_its_group_was_disabled(
    open_bench: OpenBench,
) -> None:
    async with open_bench({"tick": MAKES_UP}) as bench:
        await bench.desk.holds.disable_group("night", actor=ACTOR)
        await until(lambda: any((slot.count or 0) > 1 for slot in skipped(bench, "tick")))
        await bench.desk.holds.enable_group("night", actor=ACTOR)
        await until(lambda: len(bench.ends("tick")) >= 2)
        (run,) = await made_up(bench)
        (slot,) = skipped(bench, "tick")
        assert (run.due, slot.run_id) == (slot.last_due, run.id)


async def test_what_passed_is_made_up_for_once_nothing_holds_the_job_also_after_a_restart(
    open_bench: OpenBench,
) -> None:
    async with open_bench({"tick": MAKES_UP}) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "tick", until=None, actor=ACTOR)
        await bench.desk.holds.disable_group("night", actor=ACTOR)
        await until(lambda: bool(skipped(bench, "tick")))
    async with open_bench() as bench:
        await bench.desk.holds.resume(HoldScope.JOB, "tick", actor=ACTOR)
        await until(lambda: len(skipped(bench, "tick")) > 1)
        assert await made_up(bench) == []
        await bench.desk.holds.enable_group("night", actor=ACTOR)
        await until(lambda: len(bench.ends("tick")) >= 2)
        assert len(await made_up(bench)) == 1


async def test_a_waiting_run_starts_when_its_job_leaves_the_paused_group(open_bench: OpenBench) -> None:
    async with open_bench({"hand": HAND, "a": SLEEPER}) as bench:
        await bench.desk.holds.pause(HoldScope.GROUP, "shop", until=None, actor=ACTOR)
        other = await bench.desk.run_job("a", actor=ACTOR)
        run = await bench.desk.run_job("hand", actor=ACTOR)
        bench.write("hand", HAND.replace('"shop"', '"day"'))
        await bench.reload("hand")
        assert (await bench.finished(run.id)).status == "COMPLETE"
        assert (await bench.desk.run(other.id)).status == "QUEUED"


async def test_a_waiting_run_whose_job_joins_a_paused_group_waits_for_that(open_bench: OpenBench) -> None:
    async with open_bench({"hand": HAND, "a": SLEEPER}) as bench:
        for group in ("night", "shop"):
            await bench.desk.holds.pause(HoldScope.GROUP, group, until=None, actor=ACTOR)
        run = await bench.desk.run_job("a", actor=ACTOR)
        await bench.desk.overrides.set("a", {"groups": ["night"]}, {}, actor=ACTOR)
        await bench.desk.holds.resume(HoldScope.GROUP, "shop", actor=ACTOR)
        assert (await bench.desk.run(run.id)).status == "QUEUED"
        await bench.desk.holds.resume(HoldScope.GROUP, "night", actor=ACTOR)
        await until(lambda: bench.desk.job("a").activity == "running")
        await bench.desk.cancel(run.id, actor=ACTOR)


async def test_due_times_that_make_no_runs_are_told_once_for_each_reason(open_bench: OpenBench) -> None:
    async with open_bench({"tick": TICK}) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "tick", until=None, note="deploy", actor=ACTOR)
        await until(lambda: any((slot.count or 0) > 1 for slot in skipped(bench, "tick")))
        await bench.desk.holds.disable_group("night", actor=ACTOR)
        await until(lambda: len(skipped(bench, "tick")) > 1)
        told = [event for event in bench.heard if isinstance(event, RunsSkipped)]
    assert [(event.job, event.cause, event.reason) for event in told] == [
        ("tick", "paused", "paused by tester@here: deploy"),
        ("tick", "group", "group night is disabled by tester@here"),
    ]


HOURLY = """
local job = core.job { cron = "0 * * * *", groups = { "night" } }
function job.run() return job.OK end
return job
"""


async def test_coming_times_tell_what_will_keep_them_from_running(open_bench: OpenBench) -> None:
    async with open_bench({"tick": HOURLY, "hand": HAND}) as bench:
        first, second = (view.due for view in bench.desk.coming(job="tick", since=None, count=2))
        until = first + timedelta(minutes=1)
        await bench.desk.holds.pause(HoldScope.JOB, "tick", until=until, actor=ACTOR)
        one, two = (view.notes for view in bench.desk.coming(job="tick", since=None, count=2))
        assert (one[0].startswith("no run while this holds: paused until"), two) == (True, [])
        assert bench.desk.job("tick").next_run == second
        await bench.desk.holds.pause(HoldScope.GROUP, "night", until=None, actor=ACTOR)
        assert bench.desk.job("tick").next_run is None
        await bench.desk.holds.disable_group("night", note="moving", actor=ACTOR)
        notes = [view.notes for view in bench.desk.coming(job="tick", since=None, count=2)]
        words = "no run while this holds: group night is disabled by tester@here: moving"
        assert notes == [[words], [words]]


async def test_what_waits_is_dropped_when_a_group_is_disabled(open_bench: OpenBench) -> None:
    async with open_bench({"a": SLEEPER}) as bench:
        going = await bench.desk.run_job("a", actor=ACTOR)
        waiting = await bench.desk.run_job("a", actor=ACTOR)
        await bench.desk.holds.disable_group("shop", actor=ACTOR)
        ended = await bench.finished(waiting.id)
        assert (ended.status, ended.error) == ("SKIPPED", "group shop is disabled by tester@here")
        assert (await bench.desk.run(going.id)).status == "RUNNING"
        await bench.desk.cancel(going.id, actor=ACTOR)


async def test_a_pause_lets_due_times_pass_and_what_was_asked_for_wait(open_bench: OpenBench) -> None:
    async with open_bench({"tick": TICK, "hand": HAND}) as bench:
        await bench.desk.holds.pause(HoldScope.GROUP, "night", until=None, note="deploy", actor=ACTOR)
        asked = await bench.desk.run_job("hand", actor=ACTOR)
        assert asked.status == "QUEUED"
        await until(lambda: bool(skipped(bench, "tick")))
        assert bench.ends("tick") == []
        assert bench.desk.job("hand").paused == "group night is paused by tester@here: deploy"
        await bench.desk.holds.resume(HoldScope.GROUP, "night", actor=ACTOR)
        assert (await bench.finished(asked.id)).status == "COMPLETE"
        await until(lambda: bool(bench.ends("tick")))
        assert skipped(bench, "tick")[0].cause is Cause.PAUSED
    kinds = [(event.kind, event.held) for event in bench.heard if isinstance(event, HoldChanged)]
    assert kinds == [("paused", True), ("paused", False)]


async def test_a_paused_engine_starts_nothing_and_lets_go_on_what_runs(open_bench: OpenBench) -> None:
    async with open_bench({"a": SLEEPER, "hand": HAND}) as bench:
        going = await bench.desk.run_job("a", actor=ACTOR)
        await bench.desk.holds.pause(HoldScope.ENGINE, "", until=None, actor=ACTOR)
        waiting = await bench.desk.run_job("hand", actor=ACTOR)
        assert bench.desk.status().holds == ["the engine is paused by tester@here"]
        assert (bench.desk.status().running, bench.desk.status().queued) == (1, 1)
        await bench.desk.cancel(going.id, actor=ACTOR)
        assert (await bench.desk.run(waiting.id)).status == "QUEUED"
        await bench.desk.holds.resume(HoldScope.ENGINE, "", actor=ACTOR)
        assert (await bench.finished(waiting.id)).status == "COMPLETE"


async def test_a_pause_ends_by_itself_at_its_time(open_bench: OpenBench) -> None:
    async with open_bench({"hand": HAND}) as bench:
        end = datetime.now(UTC) + timedelta(seconds=0.5)
        await bench.desk.holds.pause(HoldScope.JOB, "hand", until=end, actor=ACTOR)
        run = await bench.finished((await bench.desk.run_job("hand", actor=ACTOR)).id)
        assert run.started is not None
        assert run.started >= end
        assert bench.desk.job("hand").paused == ""


async def test_holds_survive_a_restart_and_end_in_time_even_so(open_bench: OpenBench) -> None:
    async with open_bench({"hand": HAND, "tick": TICK}) as bench:
        await bench.desk.holds.disable_group("shop", note="moving", actor=ACTOR)
        soon = datetime.now(UTC) + timedelta(seconds=0.2)
        await bench.desk.holds.pause(HoldScope.GROUP, "night", until=soon, actor=ACTOR)
        await bench.desk.holds.pause(HoldScope.JOB, "tick", until=None, note="for now", actor=ACTOR)
    await until(lambda: datetime.now(UTC) > soon)
    async with open_bench() as bench:
        assert bench.desk.job("hand").reason == "group shop is disabled by tester@here: moving"
        assert [view.target for view in bench.desk.holds.holds()] == ["shop", "tick"]
        assert bench.desk.job("tick").paused == "paused by tester@here: for now"


async def test_a_planned_run_of_a_paused_job_stays_planned_until_that_is_over(open_bench: OpenBench) -> None:
    async with open_bench({"hand": HAND, "later": LATER}) as bench:
        await bench.desk.holds.pause(HoldScope.JOB, "hand", until=None, actor=ACTOR)
        planned = (await bench.run("later")).result[0]
        due = (await bench.desk.run(planned)).due
        await until(lambda: datetime.now(UTC) > due + timedelta(seconds=0.1))
        assert (await bench.desk.run(planned)).status == "PLANNED"
    async with open_bench() as bench:
        assert (await bench.desk.run(planned)).status == "PLANNED"
        await bench.desk.holds.resume(HoldScope.JOB, "hand", actor=ACTOR)
        assert (await bench.finished(planned)).status == "COMPLETE"


async def test_a_planned_run_of_a_disabled_job_is_skipped_with_the_reason(open_bench: OpenBench) -> None:
    async with open_bench({"hand": HAND, "later": LATER}) as bench:
        await bench.desk.holds.disable_group("shop", actor=ACTOR)
        planned = (await bench.run("later")).result[0]
        run = await bench.finished(planned)
    assert run.status == "SKIPPED"
    assert "group shop is disabled" in (run.error or "")


async def test_what_cannot_be_held_is_refused_in_words(open_bench: OpenBench) -> None:
    async with open_bench({"hand": HAND}) as bench:
        holds = bench.desk.holds
        with pytest.raises(NotFound, match="did you mean night"):
            await holds.disable_group("nigth", actor=ACTOR)
        with pytest.raises(Refused, match="enabled already"):
            await holds.enable_group("night", actor=ACTOR)
        with pytest.raises(Refused, match="has passed"):
            await holds.pause(HoldScope.ENGINE, "", until=datetime(2020, 1, 1, tzinfo=UTC), actor=ACTOR)
        await holds.pause(HoldScope.GROUP, "night", until=None, actor=ACTOR)
        with pytest.raises(Refused, match="not paused itself, but group night is paused"):
            await holds.resume(HoldScope.JOB, "hand", actor=ACTOR)


async def test_a_group_that_its_last_job_has_left_can_be_enabled(open_bench: OpenBench) -> None:
    async with open_bench({"tick": TICK}) as bench:
        await bench.desk.holds.disable_group("night", actor=ACTOR)
        bench.write("tick", TICK.replace("night", "day"))
        await bench.reload("tick")
        assert await bench.desk.holds.enable_group("night", actor=ACTOR) == GroupView(
            "night", enabled=True, note="", actor="", since=None, paused="", limit=None, jobs=[]
        )


async def test_a_group_may_have_a_limit_of_its_own(open_bench: OpenBench) -> None:
    async with open_bench({"a": SLEEPER, "b": SLEEPER}, toml="limits.groups.shop = 1") as bench:
        first = await bench.desk.run_job("a", actor=ACTOR)
        second = await bench.desk.run_job("b", actor=ACTOR)
        assert bench.desk.holds.group("shop").limit == 1
        assert (first.status, second.status) == ("RUNNING", "QUEUED")
        for run in (second, first):
            await bench.desk.cancel(run.id, actor=ACTOR)
    assert {event.status for event in bench.heard if isinstance(event, RunFinished)} == {"CANCELLED"}
