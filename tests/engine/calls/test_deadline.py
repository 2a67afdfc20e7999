"""The time limit of core calls: one timer for one call after another."""

from __future__ import annotations

import asyncio

import pytest

from engine.calls.deadline import Deadline, OutOfTime


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


async def _value() -> str:
    await asyncio.sleep(0)
    return "done"


async def test_what_ends_in_time_gives_its_value() -> None:
    deadline = Deadline()
    assert await deadline.within(60, _value()) == "done"
    assert await deadline.within(None, _value()) == "done"
    deadline.close()


async def test_what_takes_too_long_is_cancelled_and_the_task_goes_on() -> None:
    deadline = Deadline()
    for _ in range(2):
        with pytest.raises(OutOfTime):
            await deadline.within(0.01, _for_ever())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert await deadline.within(60, _value()) == "done"
    deadline.close()


async def test_a_short_limit_after_a_long_one_holds() -> None:
    deadline = Deadline()
    await deadline.within(60, _value())
    with pytest.raises(OutOfTime):
        await deadline.within(0.01, _for_ever())
    deadline.close()


async def test_a_call_has_its_own_time_although_the_timer_is_an_earlier_ones() -> None:
    deadline, loop = Deadline(), asyncio.get_running_loop()
    await deadline.within(0.05, _value())
    began = loop.time()
    with pytest.raises(OutOfTime):
        await deadline.within(0.2, _for_ever())
    assert loop.time() - began >= 0.2
    deadline.close()


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    deadline = Deadline()
    task = asyncio.create_task(deadline.within(60, _for_ever()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    deadline.close()


async def test_a_time_limit_of_the_work_itself_is_not_taken_for_this_one() -> None:
    deadline = Deadline()

    async def own_limit() -> None:
        async with asyncio.timeout(0.01):
            await _for_ever()

    with pytest.raises(TimeoutError):
        await deadline.within(60, own_limit())
    deadline.close()


async def test_work_that_ends_well_although_its_time_is_up_leaves_no_cancellation_behind() -> None:
    deadline = Deadline()

    async def stubborn() -> str:
        try:
            await _for_ever()
        except asyncio.CancelledError:
            return "all the same"
        return ""

    assert await deadline.within(0.01, stubborn()) == "all the same"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    deadline.close()
