"""Arguments above 1 MB: for the functions that take them, up to 17 MB, and not too much of it at a time."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from engine.sandbox import wire
from engine.sandbox.channel import WorkerChannel
from engine.sandbox.conversation import Conversation, Stop
from engine.sandbox.large import LargeCalls, Room
from engine.sandbox.pool import WorkerPool
from engine.sandbox.program import EndKind
from engine.sandbox.readytasks import ReadyTasks
from engine.sandbox.values import MAX_LARGE_BYTES, encode_value

from .conftest import RememberingHost, Run, job, make_pool, program
from .test_hostile_worker import ALLOWANCE, OPENING, send_all
from .test_pool import until

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.mark.parametrize(
    ("lua", "value"),
    [
        ("('x'):rep(16 * 2^20)", "x" * 16 * 2**20),
        ("('\\xff'):rep(16 * 2^20)", b"\xff" * 16 * 2**20),
        ("('x'):rep(2^20)", "x" * 2**20),
        ("('€'):rep(2^20)", "€" * 2**20),
    ],
)
async def test_sixteen_megabytes_arrive_whole(run: Run, host: RememberingHost, lua: str, value: Any) -> None:
    ending = await run(f"core.test.keep('name', {{ content = {lua} }}, 7) return job.OK")
    assert ending.error is None
    [(method, arguments)] = host.calls
    # Compared apart: nobody wants to see these in a report.
    arrived = arguments == ["name", {"content": value}, 7]
    assert (method, arrived) == ("test.keep", True)


async def test_a_large_table_of_small_values_arrives_whole(run: Run, host: RememberingHost) -> None:
    ending = await run("""
      local rows = {}
      for n = 1, 30000 do rows[n] = { id = n, text = ('t'):rep(100) } end
      core.test.keep(rows)
      return job.OK""")
    assert ending.error is None
    [(_, [rows])] = host.calls
    arrived = rows == [{"id": n, "text": "t" * 100} for n in range(1, 30001)]
    assert arrived


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("keep(('x'):rep(17 * 2^20))", "core.test.keep: argument 1: it is larger than 17 MB"),
        ("keep(1, { ('x'):rep(2^20), print })", "core.test.keep: argument 2: it holds a function"),
        ("echo(('x'):rep(2^20))", "core.test.echo: argument 1: it is larger than 1 MB"),
    ],
)
async def test_what_is_too_large_is_refused_before_anything_of_it_is_sent(
    run: Run, host: RememberingHost, call: str, why: str
) -> None:
    ending = await run(f"return job.OK, {{ select(2, core.test.{call}) }}")
    assert ending.result == [why, 801]
    assert host.calls == []


async def test_a_value_without_room_in_the_jobs_memory_is_an_error_and_the_run_goes_on(
    run: Run, host: RememberingHost
) -> None:
    ending = await run(
        "return job.OK, { select(2, core.test.keep(('x'):rep(14 * 2^20))) }", memory_bytes=24 * 2**20
    )
    why = "there is no room in the job's memory to send it; see the setting `memory`"
    assert ending.result == [f"core.test.keep: argument 1: {why}", 801]
    assert host.calls == []


async def test_values_that_the_job_has_let_go_take_no_room(run: Run, host: RememberingHost) -> None:
    host.answer = "x" * 12 * 2**20
    ending = await run(
        """
        for n = 1, 8 do
          local text = assert(core.test.answer())
          core.test.keep(text .. n)
        end
        return job.OK""",
        memory_bytes=48 * 2**20,
    )
    assert ending.error is None
    assert [args[0][-1] for method, args in host.calls if method == "test.keep"] == list("12345678")


HOLD = job("core.test.hold(('x'):rep(10 * 2^20)) return job.OK")


async def test_large_calls_beyond_the_room_wait_for_others_to_be_answered() -> None:
    pool = make_pool(large_bytes=MAX_LARGE_BYTES)
    await pool.start()
    try:
        await _check_waiting(pool)
    finally:
        await pool.stop()


async def _check_waiting(pool: WorkerPool) -> None:
    first, second, third, small = RememberingHost(), RememberingHost(), RememberingHost(), RememberingHost()
    cancel_first, cancel_second = asyncio.Future[str](), asyncio.Future[str]()
    holding = asyncio.create_task(pool.run(program(HOLD), first, cancel_first))
    await first.waiting.wait()
    waiting = asyncio.create_task(pool.run(program(HOLD), second, cancel_second))
    await until(lambda: pool.large.room.waiting == 1)
    keeping = asyncio.create_task(
        pool.run(program(job("core.test.keep(('y'):rep(2^23)) return job.OK")), third)
    )
    await until(lambda: pool.large.room.waiting == 2)
    # Small calls need no room.
    assert (await pool.run(program(job("core.test.echo(1) return job.OK")), small)).error is None
    # One that is stopped while it waits leaves the queue.
    cancel_second.set_result("enough")
    assert (await waiting).kind is EndKind.CANCELLED
    assert (len(second.calls), len(third.calls)) == (0, 0)
    cancel_first.set_result("enough")
    assert (await holding).kind is EndKind.CANCELLED
    assert (await keeping).error is None
    assert [len(args[0]) for _, args in third.calls] == [2**23]
    assert pool.large.room.free == MAX_LARGE_BYTES


async def test_room_is_granted_in_the_order_of_asking() -> None:
    granted: list[str] = []
    room = Room(10)
    first, now = room.ask(6, lambda: granted.append("first"))
    assert now
    second, now = room.ask(6, lambda: granted.append("second"))
    assert not now
    third, now = room.ask(2, lambda: granted.append("third"))
    assert not now
    first.release()
    assert granted == ["second", "third"]
    for hold in (first, second, third):
        hold.release()
    assert room.free == 10


# A worker that was taken over

PART = wire.Part("test.keep", 2**21, bytes(2**20))
REST = wire.Call("test.keep", bytes(2**20))


WHOLE = encode_value([bytes(2**21 - 6)], most_bytes=2**21)
GOOD = [wire.Part("test.hold", 2**21, WHOLE[: 2**20]), wire.Call("test.hold", WHOLE[2**20 :])]


def part(method: str = "test.keep", total: int = 2**21, size: int = 2**20) -> wire.Part:
    return wire.Part(method, total, bytes(size))


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([part(method="test.echo")], "for a function that takes none"),
        ([part(total=MAX_LARGE_BYTES + 1)], "arguments of 17825793 bytes are announced"),
        ([part(total=-1)], "arguments of -1 bytes are announced"),
        ([part(total=2**20)], "arguments of 1048576 bytes are announced"),
        ([part(size=1)], "do not belong together"),
        ([part(size=2**20 + 1)], "do not belong together"),
        ([PART, part(total=2**22)], "do not belong together"),
        ([PART, PART, PART], "more parts than were announced"),
        ([PART, wire.Call("test.hold", bytes(2**20))], "do not belong together"),
        ([PART, wire.Call("test.keep", b"")], "do not belong together"),
        ([PART, wire.Call("test.keep", bytes(2**20 + 1))], "more parts than were announced"),
        ([PART, wire.Notify("log.write", encode_value(["info", "x"]))], "between the parts"),
        ([PART, wire.Done("returned", b"OK")], "between the parts"),
        ([PART, REST], "something follows it"),
        ([*GOOD, PART], "asks again before it has an answer"),
        ([wire.Call("test.wait", encode_value([])), PART], "asks again before it has an answer"),
        (
            [wire.Part("test.keep", 2**21, b"\xdd\x00\x1f\xff\xf0" + b"\x90" * (2**20 - 5)), REST],
            "100000 parts",
        ),
    ],
)
async def test_parts_that_make_no_sense_are_a_crash(
    messages: list[wire.Message], why: str, host: RememberingHost
) -> None:
    large = LargeCalls(frozenset({"test.keep", "test.hold"}))
    end = await end_of(messages, host, large)
    assert end.kind is EndKind.CRASHED
    assert why in end.error
    assert large.room.free == 256 * 2**20


async def end_of(messages: list[wire.Message], host: RememberingHost, large: LargeCalls) -> Stop:
    ours, theirs = socket.socketpair()
    worker = WorkerChannel(ours)
    worker.exited.set_result(None)
    talk = asyncio.create_task(Conversation(worker, host, ALLOWANCE, ReadyTasks(), large).hold(OPENING, None))
    await asyncio.sleep(0)
    sending = asyncio.to_thread(send_all, theirs, b"".join(map(wire.frame, messages)))
    end, _ = await asyncio.gather(talk, sending)
    theirs.close()
    assert isinstance(end, Stop)
    assert not worker.alive
    return end
