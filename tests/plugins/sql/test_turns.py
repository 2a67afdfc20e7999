"""Turns: taken at once, waited for in order, and never lost."""

from __future__ import annotations

import asyncio

from plugins.sql.turns import Turns


async def _begin(turns: Turns, order: list[int], number: int) -> asyncio.Task[None]:
    async def wait() -> None:
        await turns.wait()
        order.append(number)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    return task


async def test_no_more_turns_are_taken_than_there_are() -> None:
    turns = Turns(2)
    assert [turns.take() for _ in range(3)] == [True, True, False]
    turns.give_back()
    assert turns.take()


async def test_a_turn_goes_to_who_waited_longest_and_to_nobody_else() -> None:
    turns, order = Turns(1), list[int]()
    assert turns.take()
    waiting = [await _begin(turns, order, number) for number in range(3)]
    turns.give_back()
    assert not turns.take()
    await waiting[0]
    turns.give_back()
    turns.give_back()
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2]
    assert not turns.take()


async def test_who_no_longer_waits_gets_no_turn() -> None:
    turns, order = Turns(1), list[int]()
    assert turns.take()
    first, second = await _begin(turns, order, 1), await _begin(turns, order, 2)
    first.cancel()
    turns.give_back()
    await asyncio.gather(first, second, return_exceptions=True)
    assert order == [2]


async def test_a_turn_that_comes_together_with_a_cancellation_goes_on_to_the_next() -> None:
    turns, order = Turns(1), list[int]()
    assert turns.take()
    first, second = await _begin(turns, order, 1), await _begin(turns, order, 2)
    turns.give_back()
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert order == [2]
    turns.give_back()
    assert turns.take()
