"""A worker that was taken over may send what it likes: its run is a crash, the engine goes on."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.sandbox import wire
from engine.sandbox.channel import MAX_UNSENT_BYTES, WorkerChannel
from engine.sandbox.conversation import Allowance, Conversation, Stop
from engine.sandbox.program import EndKind
from engine.sandbox.readytasks import ReadyTasks
from engine.sandbox.values import encode_value

from .conftest import RememberingHost
from .test_pool import until

ALLOWANCE = Allowance(
    wall_seconds=5.0,
    wall_words="wall",
    cpu_words="cpu",
    memory_words="memory",
    calls=3,
    notify_bytes=1000,
)
OPENING = wire.Declare("a.lua", b"", 0, 0.0, 0)


async def end_of(act: Callable[[socket.socket], None], host: RememberingHost) -> object:
    """Hold a conversation with a worker whose end of the line `act` plays."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    worker = WorkerChannel(ours)
    worker.exited.set_result(wire.Reaped(1, signal.SIGKILL, 0.0, 0))
    talk = asyncio.create_task(Conversation(worker, host, ALLOWANCE, ReadyTasks()).hold(OPENING, None))
    await asyncio.sleep(0)
    act(theirs)
    end = await talk
    assert not isinstance(end, Stop) or not worker.alive
    worker.kill()
    theirs.close()
    return end


def sender(*messages: wire.Message) -> Callable[[socket.socket], None]:
    def send(line: socket.socket) -> None:
        for message in messages:
            line.send(wire.frame(message))

    return send


CALL = wire.Call("test.wait", encode_value([]))
ECHO = wire.Call("test.echo", encode_value([]))


@pytest.mark.parametrize(
    "act",
    [
        lambda line: line.send(b"\xff\xff\xff\xff"),
        lambda line: line.send(b"\x00\x00\x00\x01\xc1"),
        lambda line: line.send(b"GET / HTTP/1.1\r\n\r\n"),
        lambda line: line.close(),
        lambda line: line.shutdown(socket.SHUT_RDWR),
        sender(wire.Ready({})),
        sender(CALL, CALL),
        sender(ECHO, ECHO),
        sender(ECHO, wire.Done("returned", b"OK")),
        sender(wire.Call("test.echo", b"\xc1")),
        sender(wire.Call("test.echo", b"\x01")),
        sender(wire.Notify("log.write", b"\xd4\x05\x00")),
        sender(wire.Fatal("bug", "no reason")),
        sender(wire.Fatal("something else")),
    ],
)
async def test_nonsense_is_a_crash(act: Callable[[socket.socket], None], host: RememberingHost) -> None:
    end = await end_of(act, host)
    assert isinstance(end, Stop)
    assert end.kind is EndKind.CRASHED
    assert end.error.startswith("worker crashed")


async def test_random_bytes_are_a_crash(host: RememberingHost) -> None:
    source = random.Random(7)
    for _ in range(200):
        payload = source.randbytes(source.randrange(1, 100))
        data = len(payload).to_bytes(4, "big") + payload
        end = await end_of(lambda line, data=data: line.send(data), host)  # type: ignore[misc]
        assert isinstance(end, Stop)
        assert end.kind is EndKind.CRASHED


async def test_a_flood_of_log_lines_is_a_crash_though_the_worker_should_cut(host: RememberingHost) -> None:
    flood = wire.frame(wire.Notify("log.write", encode_value(["info", "x" * 100_000])))

    def act(line: socket.socket) -> None:
        line.setblocking(True)
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, send_all, line, flood * 20)

    end = await end_of(act, host)
    assert isinstance(end, Stop)
    assert end.error == "worker crashed: the worker sends more log than it may"


def send_all(line: socket.socket, data: bytes) -> None:
    try:
        line.sendall(data)
    except OSError:
        return


async def test_more_calls_than_allowed_end_the_run_though_the_worker_should_count(
    host: RememberingHost,
) -> None:
    ours, theirs = socket.socketpair()
    worker = WorkerChannel(ours)
    worker.exited.set_result(wire.Reaped(1, signal.SIGKILL, 0.0, 0))
    talk = asyncio.create_task(Conversation(worker, host, ALLOWANCE, ReadyTasks()).hold(OPENING, None))
    echo = wire.frame(wire.Call("test.echo", encode_value([1])))
    for count in range(1, 6):
        if talk.done():
            break
        theirs.send(echo)
        await until(lambda count=count: talk.done() or len(host.calls) == count)  # type: ignore[misc]
        await asyncio.sleep(0)
    end = await talk
    theirs.close()
    assert isinstance(end, Stop)
    assert (end.kind, end.error) == (EndKind.LIMIT, "stopped: more than 3 core calls: the limit")


async def test_a_worker_that_does_not_read_is_dropped() -> None:
    ours, theirs = socket.socketpair()
    worker = WorkerChannel(ours)
    message = wire.Source(b"x" * 2**20)
    for _ in range(MAX_UNSENT_BYTES // 2**20 + 2):
        worker.send(message)
    assert not worker.alive
    theirs.close()


_ENGINE = """
import asyncio, sys
from engine.sandbox.pool import WorkerPool
from engine.sandbox.readytasks import ReadyTasks
from engine.sandbox.program import Program
from engine.run import Limits

async def main():
    pool = WorkerPool(modules=[], warm=1, memory_ceiling_bytes=2**28, cpu_ceiling_seconds=60)
    await pool.start()
    loop = b"local job = core.job() function job.run() while true do end end return job"
    run = asyncio.create_task(pool.run(Program("a.lua", loop, {}, "UTC", Limits()), None))
    await asyncio.sleep(0.05)
    print(pool.zygote_pid, flush=True)
    await run

asyncio.run(main())
"""


def _start_engine() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _ENGINE], stdout=subprocess.PIPE)


async def test_zygote_and_workers_die_with_a_killed_engine() -> None:
    engine = _start_engine()
    assert engine.stdout is not None
    zygote = int(engine.stdout.readline())
    workers = [int(pid) for pid in _children_of(zygote)]
    assert workers
    engine.kill()
    engine.wait()
    engine.stdout.close()
    await until(lambda: not any(_runs(pid) for pid in [zygote, *workers]))


def _children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
