"""Schedules given at run time, in a real engine with its database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.errors import JobNotFound, Refused, ScheduleEnded, ScheduleError, ScheduleNotFound
from engine.events import RunsMissed
from engine.rules.slots import Slot
from engine.states import RunStatus
from engine.store.database import open_database
from engine.store.slotqueries import SlotQueries
from engine.views import RunView, ScheduleView
from tests.engine.conftest import ACTOR, Bench, OpenBench, until

ECHO = """
local job = core.job()
function job.run(run)
  return job.OK, { data = run.data, user = run.user_id, trigger = run.trigger, attempt = run.attempt }
end
return job
"""
FAILS = "local job = core.job() function job.run(run) error('no toys') end return job"
SLEEPER = "local job = core.job() function job.run(run) core.sleep(60) return job.OK end return job"


async def give(bench: Bench, job: str = "echo", **options: Any) -> ScheduleView:
    return await bench.desk.schedules.add(job, options, actor=ACTOR)


def slots_of(bench: Bench, job: str) -> list[Slot]:
    database = open_database(bench.database_url)
    try:
        return SlotQueries(database.reader).slots(job)
    finally:
        database.close()


async def planned(bench: Bench) -> list[RunView]:
    return await bench.desk.runs(status=RunStatus.PLANNED)


async def ended_runs(bench: Bench, job: str, count: int) -> list[RunView]:
    """Return the first runs of a job, the oldest first, once so many have ended."""
    await until(lambda: len(bench.ends(job)) >= count)
    return [await bench.desk.run(end.run) for end in bench.ends(job)[:count]]


async def test_a_single_run_is_planned_with_its_data_and_runs_at_its_time(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        given = await give(bench, after="300ms", data={"n": 1}, user_id=7)
        assert (given.status, given.repeats, given.created_by) == ("ACTIVE", False, ACTOR)
        assert given.last_run_id is not None
        run = await bench.finished(given.last_run_id)
        after = await bench.desk.schedules.one(given.id)
    assert run.result == {"data": {"n": 1}, "user": 7, "trigger": "given", "attempt": 1}
    assert (run.trigger, run.schedule_id, run.due) == ("given", given.id, given.due)
    assert run.started is not None
    assert run.started >= run.due
    assert after.status == "OVER"


async def test_a_time_that_has_passed_means_at_once(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        given = await give(bench, at="2001-01-01T00:00:00")
        assert (await bench.finished(given.last_run_id or 0)).status == "COMPLETE"


async def test_a_later_single_run_replaces_the_one_to_come_of_the_same_job_and_user(
    open_bench: OpenBench,
) -> None:
    async with open_bench({"echo": ECHO, "other": ECHO}) as bench:
        first = await give(bench, after="1h", user_id=7, data=1)
        kept = [
            await give(bench, after="1h", user_id=8),
            await give(bench, "other", after="1h", user_id=7),
            await give(bench, after="1h", user_id=7, tag="reminder"),
            await give(bench, every="1h", user_id=7),
        ]
        second = await give(bench, after="2h", user_id=7, data=2)
        old = await bench.desk.schedules.one(first.id)
        run = await bench.desk.run(first.last_run_id or 0)
        in_force = [view.id for view in await bench.desk.schedules.find()]
        assert bench.ends("echo")[0].status == "CANCELLED"
    reason = f"replaced by schedule {second.id}"
    assert (old.status, old.reason) == ("CANCELLED", reason)
    assert (run.status, run.error, run.data, run.schedule_id) == ("CANCELLED", reason, 1, first.id)
    assert in_force == [second.id, *(view.id for view in reversed(kept))]


async def test_a_repeating_schedule_replaces_only_a_repeating_one(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        single = await give(bench, after="1h", user_id=7)
        first = await give(bench, cron="0 3 * * *", user_id=7)
        second = await give(bench, every="2h", user_id=7)
        old = await bench.desk.schedules.one(first.id)
        assert [view.id for view in await bench.desk.schedules.find()] == [second.id, single.id]
        assert bench.desk.job("echo").given == 2
    assert (old.status, old.reason, old.due) == ("CANCELLED", f"replaced by schedule {second.id}", None)


async def test_a_bad_request_replaces_nothing(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        first = await give(bench, cron="0 3 * * *")
        for options in ({"cron": "99 3 * * *"}, {}, {"every": "1h", "retries": -1}):
            with pytest.raises(ScheduleError):
                await give(bench, **options)
        with pytest.raises(JobNotFound):
            await give(bench, "ecco", every="1h")
        assert [view.id for view in await bench.desk.schedules.find()] == [first.id]


async def test_what_began_is_not_replaced(open_bench: OpenBench) -> None:
    async with open_bench({"sleeper": SLEEPER}) as bench:
        first = await give(bench, "sleeper", after=0)
        run_id = first.last_run_id or 0

        async def running() -> bool:
            return (await bench.desk.run(run_id)).status == "RUNNING"

        await until(running)
        second = await give(bench, "sleeper", after="1h")
        assert (await bench.desk.run(run_id)).status == "RUNNING"
        assert (await bench.desk.schedules.one(first.id)).status == "OVER"
        with pytest.raises(ScheduleEnded, match=f"schedule {first.id} has ended already"):
            await bench.desk.schedules.remove(first.id, actor=ACTOR)
        assert (await bench.desk.schedules.one(second.id)).status == "ACTIVE"
        await bench.desk.cancel(run_id, actor=ACTOR)


async def test_of_many_given_at_once_one_stays(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        views = await asyncio.gather(*(give(bench, after="1h", data=n) for n in range(20)))
        views += await asyncio.gather(*(give(bench, every="1h", data=n) for n in range(20)))
        in_force = await bench.desk.schedules.find()
        every = await bench.desk.schedules.find(ended=True)
        (run,) = await planned(bench)
    assert sorted(view.repeats for view in in_force) == [False, True]
    assert len({view.id for view in views}) == len(every) == 40
    assert run.data == 19
    assert [view.status for view in every].count("CANCELLED") == 38


async def test_a_repeating_schedule_makes_a_run_at_each_due_time_beside_the_files_own(
    open_bench: OpenBench,
) -> None:
    text = ECHO.replace("core.job()", 'core.job { every = "1h" }')
    async with open_bench({"echo": text}) as bench:
        before = bench.desk.job("echo").next_run
        given = await give(bench, every="1s", data="a", user_id=7)
        runs = await ended_runs(bench, "echo", 2)
        view = await bench.desk.schedules.one(given.id)
        assert bench.desk.job("echo").next_run == before
    assert [run.due for run in runs] == [given.due, (given.due or runs[0].due) + timedelta(seconds=1)]
    assert {run.schedule_id for run in runs} == {given.id}
    assert [run.result["data"] for run in runs] == ["a", "a"]
    assert view.last_run_id in [run.id for run in runs] or view.last_run_id == runs[-1].id + 1


async def test_it_goes_on_after_a_failed_run_and_the_job_stays_active(open_bench: OpenBench) -> None:
    async with open_bench({"fails": FAILS}) as bench:
        given = await give(bench, "fails", every="1s")
        runs = await ended_runs(bench, "fails", 2)
        job = bench.desk.job("fails")
        assert (await bench.desk.schedules.one(given.id)).status == "ACTIVE"
    assert [run.status for run in runs] == ["ERROR", "ERROR"]
    assert (job.active, job.status) == (True, "WAITING")
    assert "no toys" in (job.error or "")


async def test_a_retry_keeps_data_and_schedule_and_does_not_shift_it(open_bench: OpenBench) -> None:
    async with open_bench({"fails": FAILS}) as bench:
        given = await give(bench, "fails", every="1s", retries=1, retry_delay="200ms", data="d", user_id=3)
        runs = await ended_runs(bench, "fails", 4)
    own = [run for run in runs if run.trigger == "given"]
    retries = [run for run in runs if run.trigger == "retry"]
    assert [run.due for run in own][:2] == [given.due, (given.due or own[0].due) + timedelta(seconds=1)]
    first = retries[0]
    assert (first.rescheduled_from, first.schedule_id, first.attempt) == (own[0].id, given.id, 2)
    assert (first.data, first.user_id) == ("d", 3)
    assert {run.attempt for run in runs} == {1, 2}


async def test_a_retry_that_waits_is_replaced_with_its_schedule(open_bench: OpenBench) -> None:
    async with open_bench({"fails": FAILS}) as bench:
        first = await give(bench, "fails", after=0, retries=5, retry_delay="1h")
        await bench.finished(first.last_run_id or 0)
        (retry,) = await planned(bench)
        assert (await bench.desk.schedules.one(first.id)).status == "ACTIVE"
        second = await give(bench, "fails", after="3h")
        assert [run.id for run in await planned(bench)] == [second.last_run_id]
        assert (await bench.desk.run(retry.id)).status == "CANCELLED"
        assert (await bench.desk.schedules.one(first.id)).status == "CANCELLED"


async def test_removing_takes_the_runs_to_come_along(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        single, chain = await give(bench, after="1h"), await give(bench, every="1h")
        for given in (single, chain):
            view = await bench.desk.schedules.remove(given.id, actor=ACTOR)
            assert (view.status, view.reason) == ("CANCELLED", f"removed by {ACTOR}")
            with pytest.raises(ScheduleEnded):
                await bench.desk.schedules.remove(given.id, actor=ACTOR)
        assert await planned(bench) == []
        assert bench.desk.coming(job="echo", since=None, count=5) == []
        with pytest.raises(ScheduleNotFound, match="no schedule 99"):
            await bench.desk.schedules.remove(99, actor=ACTOR)


async def test_both_kinds_survive_a_restart(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        single = await give(bench, after="1h", data="s")
        chain = await give(bench, every="1h", user_id=7, tag="t", data={"x": [1]})
    async with open_bench() as bench:
        assert await bench.desk.schedules.find() == [chain, single]
        assert [
            (view.due, view.schedule_id) for view in bench.desk.coming(job="echo", since=None, count=2)
        ] == [
            (single.due, single.id),
            (chain.due, chain.id),
        ]
        third = await give(bench, every="2h", user_id=7, tag="t")
        assert third.id > chain.id
        assert (await bench.desk.schedules.one(chain.id)).status == "CANCELLED"


async def test_due_times_that_pass_while_no_engine_runs_are_counted(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        # Later than an engine takes to stop, also on a busy machine.
        chain = await give(bench, every="3s")
        single = await give(bench, after="3s")
    await until(lambda: datetime.now(UTC) > (chain.due or datetime.now(UTC)) + timedelta(seconds=3.2))
    async with open_bench() as bench:
        assert (await bench.finished(single.last_run_id or 0)).status == "COMPLETE"
        view = await bench.desk.schedules.one(chain.id)
        runs = [run for run in await bench.desk.runs(job="echo") if run.schedule_id == chain.id]
        (slot,) = await asyncio.to_thread(slots_of, bench, "echo")
    assert (slot.first_due, slot.count, slot.fate, slot.cause) == (chain.due, view.skipped, "missed", "down")
    assert view.skipped >= 2
    assert "no engine ran" in (view.note or "")
    assert all(run.due > (chain.due or run.due) + timedelta(seconds=3) for run in runs)


async def test_a_job_whose_file_is_bad_or_gone_runs_when_it_is_good_again(open_bench: OpenBench) -> None:
    async with open_bench({"bad": ECHO, "gone": ECHO}) as bench:
        singles = [await give(bench, job, after="1500ms", data=job) for job in ("bad", "gone")]
        chains = [await give(bench, job, every="2s", user_id=1) for job in ("bad", "gone")]
        bench.write("bad", "this is no Lua")
        (bench.jobs_folder / "gone.lua").unlink()
        await bench.reload()
        await until(lambda: datetime.now(UTC) > (chains[1].due or datetime.now(UTC)) + timedelta(seconds=0.2))
        assert bench.ends("bad") == bench.ends("gone") == []
        assert len(await planned(bench)) == 2
        for job in ("bad", "gone"):
            bench.write(job, ECHO)
        await bench.reload()
        for single in singles:
            assert (await bench.finished(single.last_run_id or 0)).result["data"] == single.job
        await until(lambda: all(len(bench.ends(job)) >= 2 for job in ("bad", "gone")))
        for chain in chains:
            view = await bench.desk.schedules.one(chain.id)
            assert (view.status, view.skipped) == ("ACTIVE", 1)
            assert "its file could not be used" in (view.note or "")
        assert {event.job for event in bench.heard if isinstance(event, RunsMissed)} == {"bad", "gone"}


async def test_due_times_pass_while_the_job_is_switched_off_and_say_so(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        await bench.desk.deactivate("echo", actor=ACTOR)
        chain = await give(bench, every="1s")

        async def skipped() -> bool:
            return (await bench.desk.schedules.one(chain.id)).skipped >= 1

        await until(skipped)
        view = await bench.desk.schedules.one(chain.id)
        assert view.note == f"schedule {chain.id}: job echo is INACTIVE: by operator"
        (slot,) = await asyncio.to_thread(slots_of, bench, "echo")
        assert (slot.first_due, slot.fate, slot.cause) == (chain.due, "skipped", "state")
        assert slot.reason == view.note
        assert bench.ends("echo") == []
        single = await give(bench, after=0)
        assert (await bench.finished(single.last_run_id or 0)).status == "COMPLETE"
        await bench.desk.activate("echo", actor=ACTOR)
        await bench.reload()
        await until(lambda: len(bench.ends("echo")) >= 2)


async def test_runs_of_different_users_never_take_each_others_place(open_bench: OpenBench) -> None:
    async with open_bench({"sleeper": SLEEPER}) as bench:
        for user in (1, 2, 3):
            await give(bench, "sleeper", every="1s", user_id=user)

        async def all_there() -> bool:
            runs = await bench.desk.runs(job="sleeper")
            return {run.user_id for run in runs} == {1, 2, 3}

        await until(all_there)

        async def one_waits_for_each() -> bool:
            views = await bench.desk.schedules.find()
            return all(view.skipped >= 1 for view in views if view.user_id != running)

        (running,) = [run.user_id for run in await bench.desk.runs(job="sleeper", status=RunStatus.RUNNING)]
        await until(one_waits_for_each)
        waiting = await bench.desk.runs(job="sleeper", status=RunStatus.QUEUED)
        assert sorted(run.user_id for run in waiting if run.user_id != running) == sorted(
            {1, 2, 3} - {running}
        )
        for view in await bench.desk.schedules.find():
            await bench.desk.schedules.remove(view.id, actor=ACTOR)
        for run in [*waiting, *await bench.desk.runs(job="sleeper", status=RunStatus.QUEUED)]:
            if (await bench.desk.run(run.id)).status == "QUEUED":
                await bench.desk.cancel(run.id, actor=ACTOR)
        for run in await bench.desk.runs(job="sleeper", status=RunStatus.RUNNING):
            await bench.desk.cancel(run.id, actor=ACTOR)


async def test_an_overlap_of_skip_leaves_due_times_out_while_a_run_goes_on(open_bench: OpenBench) -> None:
    text = SLEEPER.replace("core.job()", 'core.job { overlap = "skip" }')
    async with open_bench({"sleeper": text}) as bench:
        chain = await give(bench, "sleeper", every="1s")

        async def skipped() -> bool:
            return (await bench.desk.schedules.one(chain.id)).skipped >= 1

        await until(skipped)
        note = (await bench.desk.schedules.one(chain.id)).note
        assert note == f"schedule {chain.id}: an earlier run of it is not done"
        (run,) = await bench.desk.runs(job="sleeper")
        await bench.desk.schedules.remove(chain.id, actor=ACTOR)
        await bench.desk.cancel(run.id, actor=ACTOR)


async def test_one_that_expires_is_over_with_the_reason(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        expires = (datetime.now(UTC) + timedelta(seconds=2.5)).isoformat()
        chain = await give(bench, every="1s", expires=expires)
        await ended_runs(bench, "echo", 1)

        async def over() -> bool:
            return (await bench.desk.schedules.one(chain.id)).status == "OVER"

        await until(over)
        view = await bench.desk.schedules.one(chain.id)
    assert (view.status, view.reason, view.due) == ("OVER", "it is never due again", None)


async def test_too_many_are_refused(open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runs.timetable.MOST_GIVEN", 2)
    async with open_bench({"echo": ECHO}) as bench:
        await give(bench, every="1h", user_id=1)
        await give(bench, after="1h", user_id=2)
        with pytest.raises(Refused, match="2 schedules of echo are given already"):
            await give(bench, every="1h", user_id=3)


async def test_what_comes_tells_whose_schedule_it_is(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        chain = await give(bench, cron="0 3 * * *", user_id=7, tag="digest")
        views = bench.desk.coming(job="echo", since=None, count=3)
        later = bench.desk.coming(job="echo", since=views[1].due, count=1)
    assert [view.schedule_id for view in views] == [chain.id] * 3
    assert views[0].notes == [f"schedule {chain.id} for user 7 (digest)"]
    assert later == [views[1]]


async def test_given_and_removed_schedules_are_audited(open_bench: OpenBench) -> None:
    async with open_bench({"echo": ECHO}) as bench:
        given = await give(bench, every="1h")
        await bench.desk.schedules.remove(given.id, actor=ACTOR)
        entries = await bench.desk.audit.entries(target="echo")
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("remove schedule", "tester@here"),
        ("give schedule", "tester@here"),
    ]
