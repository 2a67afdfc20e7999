"""Tasks that wait for work and begin it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar

import pytest

from engine.sandbox.readytasks import Begun, ReadyTasks
from tests.engine.conftest import until

label: ContextVar[str] = ContextVar("label", default="none")


class Desk:
    """Hands work over as the loop's readers do: while no task runs."""

    def __init__(self) -> None:
        self.tasks = ReadyTasks()

    async def begin(self, work: Callable[[], object]) -> Begun | None:
        """Begin work between two turns, and return what the tasks said."""
        return await self.between(lambda: self.tasks.begin(_as_work(work)))

    async def between(self, act: Callable[[], Begun | None]) -> Begun | None:
        told: asyncio.Future[Begun | None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: told.set_result(act()))
        return await told

    async def warm(self) -> asyncio.Task[None]:
        """Let one task wait for work, and return it."""
        seen: list[asyncio.Task[None]] = []
        begun = await self.begin(lambda: seen.append(_current()))
        assert begun is not None
        await until(lambda: begun.ended)
        return seen[0]


async def _as_work(work: Callable[[], object]) -> None:
    work()


def _current() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def _wait_for(event: asyncio.Event, seen: list[str]) -> None:
    seen.append("begun")
    try:
        await event.wait()
    except asyncio.CancelledError:
        seen.append("cancelled")
        raise
    seen.append("ended")


async def test_work_that_never_waits_is_done_when_begin_returns() -> None:
    desk = Desk()
    waiting = await desk.warm()
    seen: list[asyncio.Task[None]] = []
    assert await desk.between(lambda: desk.tasks.begin(_as_work(lambda: seen.append(_current())))) is None
    assert seen == [waiting]
    desk.tasks.close()


async def test_work_goes_on_by_the_loop_after_its_first_step() -> None:
    desk, event, seen = Desk(), asyncio.Event(), list[str]()
    await desk.warm()

    def act() -> Begun | None:
        begun = desk.tasks.begin(_wait_for(event, seen))
        assert seen == ["begun"]
        return begun

    begun = await desk.between(act)
    assert begun is not None
    event.set()
    await until(lambda: begun.ended)
    assert seen == ["begun", "ended"]
    desk.tasks.close()


async def test_a_time_limit_inside_of_the_first_step_ends_the_work() -> None:
    desk, seen = Desk(), list[str]()
    await desk.warm()

    async def work() -> None:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            seen.append("too late")

    begun = await desk.between(lambda: desk.tasks.begin(work()))
    assert begun is not None
    await until(lambda: begun.ended)
    assert seen == ["too late"]
    desk.tasks.close()


async def test_cancelled_work_hears_of_it_and_its_task_serves_no_more() -> None:
    desk, seen = Desk(), list[str]()
    waiting = await desk.warm()
    begun = await desk.between(lambda: desk.tasks.begin(_wait_for(asyncio.Event(), seen)))
    assert begun is not None
    await begun.cancel(5.0)
    assert seen == ["begun", "cancelled"]
    assert waiting.done()
    assert await desk.warm() is not waiting
    desk.tasks.close()


async def test_cancelling_work_that_has_ended_leaves_the_next_work_of_its_task_alone() -> None:
    desk, first, second = Desk(), list[str](), list[str]()
    await desk.warm()
    event = asyncio.Event()
    ended = await desk.between(lambda: desk.tasks.begin(_wait_for(event, first)))
    assert ended is not None
    event.set()
    await until(lambda: ended.ended)
    event.clear()
    begun = await desk.between(lambda: desk.tasks.begin(_wait_for(event, second)))
    await ended.cancel(5.0)
    assert begun is not None
    event.set()
    await until(lambda: begun.ended)
    assert second == ["begun", "ended"]
    desk.tasks.close()


async def test_work_never_sees_the_context_of_other_work() -> None:
    desk, seen = Desk(), list[str]()
    waiting = await desk.warm()

    def note() -> None:
        seen.append(label.get())
        label.set("of another run")

    for _ in range(3):
        begun = await desk.between(lambda: desk.tasks.begin(_as_work(note)))
        await until(lambda begun=begun: begun is None or begun.ended)
    assert seen == ["none"] * 3
    assert waiting.done()
    desk.tasks.close()


async def test_a_task_may_hand_work_over_and_it_begins_in_the_next_turn() -> None:
    desk, seen = Desk(), list[str]()
    await desk.warm()
    begun = desk.tasks.begin(_as_work(lambda: seen.append("done")))
    assert begun is not None
    assert seen == []
    await asyncio.sleep(0)
    assert seen == ["done"]
    assert begun.ended
    desk.tasks.close()


async def test_work_that_fails_ends_and_the_next_one_gets_another_task(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()
    waiting = await desk.warm()
    assert await desk.between(lambda: desk.tasks.begin(_as_work(lambda: 1 / 0))) is None
    assert isinstance(waiting.exception(), ZeroDivisionError)
    assert await desk.warm() is not waiting
    desk.tasks.close()


async def test_closing_ends_the_tasks_that_wait_and_each_other_one_after_its_work() -> None:
    desk, event = Desk(), asyncio.Event()
    idle, busy = await desk.warm(), list[str]()
    begun = await desk.between(lambda: desk.tasks.begin(_wait_for(event, busy)))
    other = await desk.warm()
    desk.tasks.close()
    await asyncio.wait([other])
    assert not idle.done()
    assert begun is not None
    event.set()
    await asyncio.wait([idle])
    assert busy == ["begun", "ended"]


async def test_work_whose_task_is_cancelled_before_it_began_is_put_away() -> None:
    desk, seen = Desk(), list[str]()
    begun = desk.tasks.begin(_as_work(lambda: seen.append("done")))
    assert begun is not None
    await begun.cancel(5.0)
    assert begun.ended
    assert seen == []
