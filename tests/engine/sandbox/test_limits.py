"""What happens to runs that want too much: each ends with clear words, the others do not notice."""

from __future__ import annotations

import asyncio
import time

import pytest

from engine.sandbox.pool import WorkerPool
from engine.sandbox.program import Ending, EndKind
from engine.states import Returned

from .conftest import RememberingHost, Run, job, program

pytestmark = pytest.mark.asyncio(loop_scope="package")

SLOW_MATCH = "string.find(('a'):rep(30000), '.-.-.-.-.-.-b')"

HOSTILE = {
    "a plain loop": "while true do end",
    "a loop in pcall": "while true do pcall(function() while true do end end) end",
    "the edge of the C stack": "local function f() pcall(f) f() end while true do pcall(f) end",
    "a loop in an error handler": "xpcall(error, function() while true do end end)",
    "a loop in a coroutine": "coroutine.wrap(function() while true do end end)()",
    "one call of string.find": SLOW_MATCH,
    "a comparator": "table.sort({ 3, 2, 1 }, function() while true do end end)",
    "a metamethod": "local t = setmetatable({}, { __index = function() while true do end end }) return t.x",
    "a close handler": "local x <close> = setmetatable({}, { __close = function() while true do end end })",
    "a lying length": "table.insert(setmetatable({}, { __len = function() return 1e15 end }), 1, 5)",
    "table.move": "table.move({}, 1, 1e15, 2)",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
async def test_processor_time_ends_every_loop(run: Run, body: str) -> None:
    ending = await run(body, cpu_seconds=0.05, wall_seconds=20)
    assert ending.kind is EndKind.CPU
    assert ending.error == "stopped after 0.05 s of CPU time: the limit"
    assert ending.cpu_seconds is not None
    assert 0.03 < ending.cpu_seconds < 0.5


@pytest.mark.parametrize("body", [SLOW_MATCH, "while true do end", "core.test.wait()"])
async def test_wall_time_ends_a_run_wherever_it_is(run: Run, body: str) -> None:
    ending = await run(body, wall_seconds=0.1)
    assert (ending.kind, ending.error) == (EndKind.WALL, "stopped after 0.1 s: the job's timeout")
    assert 0.1 <= ending.duration_seconds < 1.0


async def test_a_call_under_way_is_abandoned_with_its_run(run: Run, host: RememberingHost) -> None:
    await run("core.test.wait()", wall_seconds=0.1)
    assert host.abandoned


GREEDY = {
    "one string": "local s = ('x'):rep(100 * 1024 * 1024)",
    "a table": "local t = {} for i = 1, 1e9 do t[i] = i end",
    "concatenation": "local s = 'x' while true do s = s .. s end",
    "closures": "local t = {} while true do t[#t + 1] = function() return t end end",
    "coroutines": "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
    "gsub": "local s = ('x'):rep(1e6) while true do s = s:gsub('x', 'xxxx') end",
    "log lines": "local t = {} while true do t[#t + 1] = ('x'):rep(1e5) core.log('x') end",
    "core calls": "local t = {} while true do t[#t + 1] = core.test.echo(('x'):rep(1e5)) end",
    "JSON": "local t = {} while true do t[#t + 1] = core.json.decode('[\"' .. ('x'):rep(1e5) .. '\"]') end",
}


@pytest.mark.parametrize("body", GREEDY.values(), ids=GREEDY.keys())
async def test_memory_has_a_limit(run: Run, body: str) -> None:
    ending = await run(body, memory_bytes=2**24, cpu_seconds=10, wall_seconds=20)
    assert ending.error == "stopped: used more than 16 MB of memory: the limit"
    assert ending.kind is EndKind.MEMORY


@pytest.mark.parametrize("spare", [0, 1, 64, 4096, 65536])
async def test_calls_at_the_edge_of_memory_end_in_time(run: Run, spare: int) -> None:
    ending = await run(
        f"""
      local hoard, size = {{}}, 2^16
      while size >= 16 do
        if not pcall(function() hoard[#hoard + 1] = ('x'):rep(size - {spare} % size) .. #hoard end) then
          size = size // 2
        end
      end
      for _ = 1, 20 do pcall(core.test.echo, ('y'):rep({spare})) pcall(core.log, 'x') end
      return job.OK""",
        memory_bytes=2**22,
        wall_seconds=5,
    )
    assert ending.kind is EndKind.MEMORY
    assert ending.duration_seconds < 4


async def test_memory_of_the_process_stays_near_the_limit(run: Run) -> None:
    ending = await run("local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end", memory_bytes=2**26)
    assert ending.kind is EndKind.MEMORY
    assert ending.peak_memory_bytes is not None
    assert ending.peak_memory_bytes < 2**26 + 40 * 2**20


async def test_caught_memory_errors_do_no_harm(run: Run) -> None:
    ending = await run("for _ = 1, 20 do pcall(string.rep, 'x', 2^30) end return job.OK", memory_bytes=2**24)
    assert ending.returned is Returned.OK


async def test_calls_are_counted(run: Run, host: RememberingHost) -> None:
    ending = await run("for i = 1, 100 do core.test.echo(i) end return job.OK", calls=10)
    assert ending.kind is EndKind.LIMIT
    assert ending.error == "stopped: more than 10 core calls: the limit"
    assert len(host.calls) == 10


async def test_as_many_calls_as_allowed_are_fine(run: Run) -> None:
    assert (await run("for i = 1, 10 do core.test.echo(i) end return job.OK", calls=10)).error is None


async def test_a_log_beyond_its_limit_is_cut_and_the_run_goes_on(run: Run, host: RememberingHost) -> None:
    ending = await run(
        "local line = ('x'):rep(1000) for i = 1, 5000 do core.log(line) end return job.OK", log_bytes=50_000
    )
    assert ending.returned is Returned.OK
    assert 45 <= len(host.lines) <= 50
    assert ending.dropped_lines == 5000 - len(host.lines)
    assert [args for method, args in host.notices if method == "log.cut"] == [[]]


async def test_long_lines_are_cut_at_a_character(run: Run, host: RememberingHost) -> None:
    await run("core.log(('ä'):rep(100000)) return job.OK", log_line_bytes=101)
    assert host.lines == ["ä" * 52]


async def test_declaring_has_its_own_short_limits(pool: WorkerPool, host: RememberingHost) -> None:
    loop = await pool.declare("a.lua", b"while true do end", host)
    memory = await pool.declare("a.lua", b"local t = {} for i = 1, 1e9 do t[i] = i end", host)
    # On a busy machine the wall is reached before half a second of processor time.
    assert loop.error in {
        f"a.lua: stopped after {limit} outside of job.run(): work belongs inside job.run()"
        for limit in ("0.5 s of CPU time", "1 s")
    }
    assert memory.error == (
        "a.lua: stopped: used more than 16 MB of memory outside of job.run(): work belongs inside job.run()"
    )


async def test_a_slow_compilation_counts_too(run_file: Run) -> None:
    chain = "if x == 0 then\n" + "elseif x == 1 then\n" * 13000 + "end"
    ending = await run_file(chain, cpu_seconds=0.1)
    assert ending.kind is EndKind.CPU


async def test_honest_jobs_go_on_beside_endless_loops(pool: WorkerPool) -> None:
    loops = [
        asyncio.create_task(pool.run(program(job("while true do end"), wall_seconds=1.0), RememberingHost()))
        for _ in range(3)
    ]
    honest: list[Ending] = []
    while not all(loop.done() for loop in loops):
        started = time.monotonic()
        honest.append(await pool.run(program(job("return job.OK")), RememberingHost()))
        assert time.monotonic() - started < 1.0
    assert all(ending.returned is Returned.OK for ending in honest)
    assert len(honest) >= 5
    assert {(await loop).kind for loop in loops} == {EndKind.WALL}
