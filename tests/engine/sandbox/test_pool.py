"""Workers that die, are killed, grow old; a zygote that dies; and that nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from engine.sandbox import harden
from engine.sandbox.pool import WorkerPool
from engine.sandbox.program import EndKind
from engine.states import Returned

from .conftest import RememberingHost, job, make_pool, program
from .old_kernel import KERNELS

OK = program(job("return job.OK"))
LOOP = program(job("while true do end"), wall_seconds=30)


def children(of: int | None = None) -> dict[int, str]:
    """Return the descendants of a process (of this one) with their states, zombies included."""
    parents: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = (int(fields[1]), fields[0])
    found: dict[int, str] = {}
    frontier = {of or os.getpid()}
    while frontier:
        frontier = {pid for pid, (parent, _state) in parents.items() if parent in frontier}
        found |= {pid: parents[pid][1] for pid in frontier}
    return found


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def environment_of(pid: int | None) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.002)


def worker_pids(pool: WorkerPool) -> set[int]:
    assert pool.zygote_pid is not None
    return set(children(pool.zygote_pid))


@pytest_asyncio.fixture
async def fresh() -> AsyncIterator[WorkerPool]:
    pool = make_pool()
    await pool.start()
    yield pool
    await pool.stop()


async def test_all_walls_stand_on_this_machine(fresh: WorkerPool) -> None:
    assert set(fresh.walls) == set(harden.WALLS)
    assert set(fresh.walls.values()) == {"on"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
async def test_a_worker_killed_from_outside_is_a_crash_and_the_pool_goes_on(
    fresh: WorkerPool, host: RememberingHost, number: signal.Signals
) -> None:
    run = asyncio.create_task(fresh.run(program(job("core.test.wait()"), wall_seconds=30), host))
    await host.waiting.wait()
    killed = worker_pids(fresh)
    for pid in killed:
        os.kill(pid, number)
    ending = await run
    await until(lambda: not killed & worker_pids(fresh))
    assert ending.kind is EndKind.CRASHED
    assert str(ending.error).startswith(f"worker crashed ({number.name}): ")
    assert host.abandoned
    assert (await fresh.run(OK, host)).returned is Returned.OK


async def test_a_killed_zygote_is_replaced_and_its_runs_are_crashes(host: RememberingHost) -> None:
    before, reasons = children(), list[str]()
    pool = make_pool(on_replaced=reasons.append)
    await pool.start()
    first = pool.zygote_pid
    assert first is not None
    run = asyncio.create_task(pool.run(program(job("core.test.wait()"), wall_seconds=30), host))
    await host.waiting.wait()
    os.kill(first, signal.SIGKILL)
    ending = await run
    assert ending.kind is EndKind.LOST
    assert ending.error == "worker crashed: the process that all workers come from ended"
    assert (await pool.run(OK, host)).returned is Returned.OK
    assert reasons == ["killed by SIGKILL"]
    assert pool.zygote_pid not in (None, first)
    await pool.stop()
    assert set(children()) <= set(before)


@contextlib.contextmanager
def no_descriptors(*, but: int) -> Iterator[Callable[[], None]]:
    """Let this process open so many files more; what is given takes up those that are free by then."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []

    def take_up() -> None:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(0))

    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, before[1]))
    try:
        take_up()
        for descriptor in [taken.pop() for _ in range(but)]:
            os.close(descriptor)
        yield take_up
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_without_a_descriptor_for_its_line_no_worker_is_made_and_later_there_are_some_again(
    host: RememberingHost,
) -> None:
    pool = make_pool(warm=0)
    await pool.start()
    await _use_up(pool, host)
    with no_descriptors(but=0):
        ending = await pool.run(OK, host)
    assert ending.kind is EndKind.LOST
    assert "no worker could be had: a new worker failed: Too many open files" in str(ending.error)
    assert (await pool.run(OK, host)).returned is Returned.OK
    await pool.stop()


async def test_a_worker_that_nothing_could_kill_is_not_used(host: RememberingHost) -> None:
    pool = make_pool(warm=0)
    await pool.start()
    await _use_up(pool, host)
    with no_descriptors(but=2) as take_up:
        run = asyncio.create_task(pool.run(program(job("while true do end"), wall_seconds=1), host))
        await asyncio.sleep(0)
        # The line stands; for the handle of the process there is no room any more.
        take_up()
        ending = await run
    assert ending.kind is EndKind.LOST
    assert (await pool.run(OK, host)).returned is Returned.OK
    await _use_up(pool, host)
    await until(lambda: not worker_pids(pool))
    await pool.stop()


async def _use_up(pool: WorkerPool, host: RememberingHost) -> None:
    """Leave no worker that waits for work."""
    assert (await pool.run(program(job("while true do end"), wall_seconds=0.1), host)).kind is EndKind.WALL


async def test_nothing_is_left_after_stop(host: RememberingHost) -> None:
    before, processes = descriptors(), children()
    pool = make_pool(warm=3)
    await pool.start()
    run = asyncio.create_task(pool.run(program(job("core.test.wait()")), host))
    await host.waiting.wait()
    assert worker_pids(pool)
    await pool.stop()
    ending = await run
    assert (ending.kind, ending.error) == (EndKind.CANCELLED, "the engine stopped")
    assert set(children()) <= set(processes)
    assert descriptors() == before
    assert pool.workers == 0


async def test_a_stopped_pool_refuses_runs_in_words(host: RememberingHost) -> None:
    pool = make_pool()
    await pool.start()
    await pool.stop()
    ending = await pool.run(OK, host)
    assert (ending.kind, ending.error) == (
        EndKind.LOST,
        "no worker could be had: the engine is stopping",
    )


async def test_a_pool_can_be_stopped_twice_and_before_its_start() -> None:
    pool = make_pool()
    await pool.stop()
    await pool.stop()


async def test_killed_runs_leave_no_descriptors_and_no_zombies(
    fresh: WorkerPool, host: RememberingHost
) -> None:
    brief = program(job("while true do end"), wall_seconds=0.001)
    await asyncio.gather(*(fresh.run(brief, host) for _ in range(4)))
    await until(lambda: fresh.workers <= 1)
    before = descriptors()
    for _ in range(50):
        endings = await asyncio.gather(*(fresh.run(brief, host) for _ in range(4)))
        assert {ending.kind for ending in endings} == {EndKind.WALL}
    await until(lambda: fresh.workers <= 1)
    assert abs(descriptors() - before) <= 3
    assert "Z" not in children(fresh.zygote_pid).values()


async def test_cancelling_by_the_future_kills_the_run_with_its_reason(
    fresh: WorkerPool, host: RememberingHost
) -> None:
    cancel: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    run = asyncio.create_task(fresh.run(program(job("core.test.wait()")), host, cancel))
    await host.waiting.wait()
    cancel.set_result("by ann")
    ending = await run
    assert (ending.kind, ending.error) == (EndKind.CANCELLED, "by ann")
    await until(lambda: fresh.workers <= 1)


async def test_a_run_cancelled_before_it_begins_ends_at_once(
    fresh: WorkerPool, host: RememberingHost
) -> None:
    cancel: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    cancel.set_result("too late")
    ending = await fresh.run(LOOP, host, cancel)
    assert ending.error == "too late"


async def test_cancelling_the_task_kills_the_worker(fresh: WorkerPool, host: RememberingHost) -> None:
    run = asyncio.create_task(fresh.run(program(job("core.test.wait()")), host))
    await host.waiting.wait()
    used = worker_pids(fresh)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    await until(lambda: not used <= worker_pids(fresh))
    assert (await fresh.run(OK, host)).returned is Returned.OK


async def test_a_cancelled_wait_for_a_worker_loses_none(fresh: WorkerPool, host: RememberingHost) -> None:
    runs = [asyncio.create_task(fresh.run(OK, host)) for _ in range(8)]
    await asyncio.sleep(0)
    for run in runs[::2]:
        run.cancel()
    await asyncio.gather(*runs, return_exceptions=True)
    endings = await asyncio.gather(*(fresh.run(OK, host) for _ in range(8)))
    assert {ending.returned for ending in endings} == {Returned.OK}


async def test_a_worker_is_reused_and_replaced_after_its_runs(host: RememberingHost) -> None:
    pool = make_pool(warm=0, max_runs=3)
    await pool.start()
    seen: list[frozenset[int]] = []
    for _ in range(6):
        await pool.run(OK, host)
        seen.append(frozenset(worker_pids(pool)))
    await pool.stop()
    assert len(seen[0] | seen[1]) <= 2
    assert not seen[0] & seen[5]


async def test_workers_that_are_idle_for_long_are_let_go(host: RememberingHost) -> None:
    pool = make_pool(warm=1, idle_seconds=0.05)
    await pool.start()
    await asyncio.gather(*(pool.run(OK, host) for _ in range(4)))
    await until(lambda: len(worker_pids(pool)) == 1)
    assert (await pool.run(OK, host)).returned is Returned.OK
    await pool.stop()


@pytest.mark.parametrize("wall", KERNELS)
async def test_a_missing_wall_stops_the_start_unless_it_is_allowed(wall: str) -> None:
    command = (sys.executable, "-m", "tests.engine.sandbox.old_kernel", wall)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    answer, _ = await asyncio.wait_for(process.communicate(), timeout=60)
    told = json.loads(answer)
    assert told["refused"].startswith(f"the sandbox would have no {wall} here")
    assert told["wall"].startswith("missing: ")
    assert (told["others"], told["returned"]) == ("on", "OK")


async def test_no_variable_of_the_engine_reaches_the_zygote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONTIDE_TEST_SECRET", "hush")
    pool = make_pool()
    await pool.start()
    environment = environment_of(pool.zygote_pid)
    await pool.stop()
    assert b"hush" not in environment
    assert b"PATH=" not in environment.replace(b"LD_LIBRARY_PATH=", b"")


async def test_the_allocator_of_a_worker_keeps_the_blocks_of_one_state_for_the_next(pool: WorkerPool) -> None:
    assert b"GLIBC_TUNABLES=glibc.malloc.tcache_count=1000\0" in environment_of(pool.zygote_pid)
    assert pool.walls["clean_environment"] == "on"


async def test_taking_from_a_pool_that_never_started_says_so(host: RememberingHost) -> None:
    declaration = await make_pool().declare("a.lua", b"", host)
    assert declaration.error == "a.lua: the sandbox has not started"
