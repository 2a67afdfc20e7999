"""The clock's hand."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.runs.scheduler import Scheduler
from engine.times.clock import ManualClock, SystemClock

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def scheduler_with_record() -> tuple[Scheduler, list[tuple[str, datetime]]]:
    served: list[tuple[str, datetime]] = []
    scheduler = Scheduler(clock=ManualClock(START), on_due=lambda job, due: served.append((job, due)))
    return scheduler, served


def test_jobs_are_served_in_the_order_of_their_due_times() -> None:
    scheduler, served = scheduler_with_record()
    scheduler.arm("late", at(20))
    scheduler.arm("early", at(10))
    scheduler.tick(at(30))
    assert served == [("early", at(10)), ("late", at(20))]


def test_nothing_is_served_before_its_time() -> None:
    scheduler, served = scheduler_with_record()
    scheduler.arm("a", at(10))
    assert scheduler.tick(at(9.999)) == 0
    assert served == []


def test_a_due_time_is_served_once() -> None:
    scheduler, _ = scheduler_with_record()
    scheduler.arm("a", at(10))
    assert [scheduler.tick(at(11)), scheduler.tick(at(12))] == [1, 0]


def test_arming_again_replaces_the_earlier_time() -> None:
    scheduler, served = scheduler_with_record()
    scheduler.arm("a", at(10))
    scheduler.arm("a", at(20))
    scheduler.tick(at(15))
    assert served == []
    scheduler.tick(at(20))
    assert served == [("a", at(20))]


def test_a_disarmed_job_is_not_served() -> None:
    scheduler, served = scheduler_with_record()
    scheduler.arm("a", at(10))
    scheduler.arm("a", None)
    scheduler.tick(at(99))
    assert served == []


@given(st.lists(st.tuples(st.integers(0, 20), st.one_of(st.none(), st.integers(0, 100))), max_size=400))
def test_whatever_is_armed_last_is_what_is_served(armings: list[tuple[int, int | None]]) -> None:
    scheduler, served = scheduler_with_record()
    wanted: dict[str, datetime] = {}
    for job, seconds in armings:
        due = None if seconds is None else at(seconds)
        scheduler.arm(str(job), due)
        wanted.pop(str(job), None)
        if due is not None:
            wanted[str(job)] = due
    scheduler.tick(at(1000))
    assert sorted(served) == sorted(wanted.items())


async def test_the_kernel_alarm_rings_for_the_earliest_job_first() -> None:
    served: list[str] = []
    done = asyncio.Event()

    def on_due(job: str, due: datetime) -> None:
        served.append(job)
        if len(served) == 2:
            done.set()

    clock = SystemClock()
    scheduler = Scheduler(clock=clock, on_due=on_due)
    scheduler.start()
    scheduler.arm("second", clock.now() + timedelta(milliseconds=60))
    scheduler.arm("first", clock.now() + timedelta(milliseconds=20))
    async with asyncio.timeout(5):
        await done.wait()
    scheduler.stop()
    assert served == ["first", "second"]


async def test_a_time_that_has_passed_rings_at_once() -> None:
    done = asyncio.Event()
    clock = SystemClock()
    scheduler = Scheduler(clock=clock, on_due=lambda job, due: done.set())
    scheduler.start()
    scheduler.arm("a", clock.now() - timedelta(hours=1))
    async with asyncio.timeout(5):
        await done.wait()
    scheduler.stop()


async def test_a_job_armed_again_from_its_own_call_is_served_at_its_next_time() -> None:
    served: list[datetime] = []
    done = asyncio.Event()
    clock = SystemClock()

    def on_due(job: str, due: datetime) -> None:
        served.append(due)
        scheduler.arm(job, due + timedelta(milliseconds=10))
        if len(served) == 5:
            done.set()

    scheduler = Scheduler(clock=clock, on_due=on_due)
    scheduler.start()
    scheduler.arm("a", clock.now())
    async with asyncio.timeout(5):
        await done.wait()
    scheduler.stop()
    assert served == sorted(set(served))
