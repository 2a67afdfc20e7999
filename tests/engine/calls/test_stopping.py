"""How a run learns that it is to end."""

from __future__ import annotations

import asyncio

from engine.calls.stopping import Stopping


async def test_nothing_is_told_before_it_is_asked() -> None:
    stopping = Stopping()
    assert await stopping.pause(0) is None
    assert (stopping.heed(), stopping.told, stopping.done()) == (False, False, False)


async def test_a_pause_under_way_ends_at_once_and_the_next_takes_its_time() -> None:
    stopping = Stopping()
    pausing = asyncio.create_task(stopping.pause(600))
    await asyncio.sleep(0)
    stopping.ask("enough")
    async with asyncio.timeout(10):
        assert await pausing == "enough"
        assert await stopping.pause(0.01) is None
    assert stopping.told


async def test_the_first_pause_after_the_request_is_cut_short() -> None:
    stopping = Stopping()
    stopping.ask("enough")
    async with asyncio.timeout(10):
        assert await stopping.pause(600) == "enough"


async def test_a_run_that_would_not_learn_of_it_is_ended_at_once() -> None:
    stopping = Stopping()
    stopping.ask_within("enough", 600)
    assert stopping.result() == "enough"
    assert not stopping.told


async def test_a_run_that_listens_is_ended_when_its_time_is_up() -> None:
    stopping = Stopping()
    assert not stopping.heed()
    stopping.ask_within("enough", 0.01)
    assert not stopping.done()
    assert stopping.heed()
    async with asyncio.timeout(10):
        assert (await stopping).startswith("enough; it was asked to end by itself")


async def test_the_last_word_can_come_at_any_time_and_the_first_one_counts() -> None:
    stopping = Stopping()
    stopping.heed()
    stopping.ask_within("cancelled", 600)
    stopping.end("now")
    stopping.end("later")
    assert stopping.result() == "now"
    assert stopping.reason == "cancelled"
