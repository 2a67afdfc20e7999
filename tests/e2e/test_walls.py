"""One bad job touches neither another, nor the engine, nor what lies outside of the jobs folder."""

from __future__ import annotations

import os
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until

HOURLY = 'every = "1h"'

ESCAPES = {
    "outside of lib": 'require "outside"',
    "above": 'require "lib...outside"',
    "above by path": 'require "lib/../../outside"',
    "dots": 'require "../outside"',
    "absolute": 'require "/etc/passwd"',
    "absolute with lib": 'require "lib./etc/passwd"',
    "another job": 'require "honest"',
    "a linked file": 'require "lib.link"',
    "a linked folder": 'require "lib.linked.outside"',
    "nothing": 'require ""',
    "a zero byte": 'require "lib.money\\0x"',
    "a backslash": 'require "lib\\\\money"',
    "a number": "require(5)",
    "a table": "require({})",
}


@pytest.fixture(scope="module", autouse=True)
def library(shared: Served) -> None:
    """A module that may be had, and links that lead away from the jobs folder."""
    home = shared.home
    home.write("lib/money", 'return { words = function(n) return n .. " coins" end }')
    home.write("lib/deep/er", 'local money = require "lib.money" return { two = money.words(2) }')
    outside = home.path / "outside.lua"
    outside.write_text('return { secret = "outside" }')
    (home.jobs / "lib" / "link.lua").symlink_to(outside)
    (home.jobs / "lib" / "linked").symlink_to(home.path)


def test_a_module_of_the_library_can_be_required_also_from_another(shared: Served, name: str) -> None:
    text = job('local er = require "lib.deep.er" return job.OK, { er.two, er == require "lib.deep.er" }')
    shared.add(f"{name}/below/a/folder", text)
    assert shared.run(f"{name}/below/a/folder").result == ["2 coins", True]


def test_a_module_changed_since_is_taken_anew(shared: Served, name: str) -> None:
    shared.home.write(f"lib/{name}", "return 1")
    shared.add(name, job(f'return job.OK, require "lib.{name}"'))
    assert shared.run(name).result == 1
    shared.home.write(f"lib/{name}", "return 2")
    assert shared.run(name).result == 2


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES.keys())
def test_nothing_outside_of_the_library_can_be_required(shared: Served, name: str, escape: str) -> None:
    shared.add(name, job(f"local found = {escape} return job.OK, found"))
    run = shared.run(name)
    assert (run.status, run.result) == ("ERROR", None)
    assert "require" in (run.error or "")


@pytest.mark.parametrize(
    "reached", ["io", "debug", "load", "loadstring", "dofile", "loadfile", "os.execute", "os.remove"]
)
def test_what_is_missing_says_why_when_it_is_called(shared: Served, name: str, reached: str) -> None:
    call = f'{reached}.open("x")' if reached in ("io", "debug") else f'{reached}("x")'
    shared.add(name, job(f"{call} return job.OK"))
    run = shared.run(name)
    assert run.status == "ERROR"
    assert reached in (run.error or "")
    assert "attempt to call a nil value" not in (run.error or "")


@pytest.mark.parametrize("call", ["core.sleep(1.5)", "local t = os.time() + 1 while os.time() <= t do end"])
def test_a_run_that_sleeps_or_works_does_not_hold_up_another(shared: Served, name: str, call: str) -> None:
    shared.add(f"{name}_a", job(f"{call} return job.OK"))
    shared.add(f"{name}_b", job("return job.OK"))
    slow = shared.client.run_job(f"{name}_a")
    quick = shared.run(f"{name}_b")
    ended = shared.finished(slow.id)
    assert (ended.status, quick.status) == ("COMPLETE", "COMPLETE")
    assert ended.finished is not None
    assert quick.finished is not None
    assert quick.finished < ended.finished


def test_two_runs_sleep_side_by_side(shared: Served, name: str) -> None:
    shared.add(f"{name}_a", job("core.sleep(1) return job.OK"))
    shared.add(f"{name}_b", job("core.sleep(1) return job.OK"))
    first, second = (shared.client.run_job(f"{name}_{x}").id for x in "ab")
    one, two = shared.finished(first), shared.finished(second)
    both = max(str(one.started), str(two.started)), min(str(one.finished), str(two.finished))
    assert both[0] < both[1]


STOPPED = {
    "timeout": ("core.sleep(60)", 'timeout = "1s"', "TIMEOUT", "stopped after 1 s: the job's timeout"),
    "timeout of a loop": (
        "while true do end",
        'timeout = "1s"',
        "TIMEOUT",
        "stopped after 1 s: the job's timeout",
    ),
    "cpu": ("while true do end", "", "TIMEOUT", "stopped after 2 s of CPU time: the limit"),
    "caught loop": ("while true do pcall(function() while true do end end) end", "", "TIMEOUT", "CPU time"),
    "loop in C": (
        'return (string.rep("a", 40) .. "b"):find(string.rep("a*", 40) .. "c")',
        "",
        "TIMEOUT",
        "CPU time",
    ),
    "memory": (
        'local s = "x" while true do s = s .. s end',
        "",
        "ERROR",
        "stopped: used more than 32 MB of memory",
    ),
    "own memory": (
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        'memory = "2MB"',
        "ERROR",
        "more than 2 MB of memory",
    ),
    "caught memory": (
        'while true do pcall(function() local s = "x" while true do s = s .. s end end) end',
        "",
        None,
        "stopped",
    ),
}


@pytest.mark.parametrize(("body", "settings", "status", "words"), STOPPED.values(), ids=STOPPED.keys())
def test_a_run_that_asks_too_much_is_stopped_with_clear_words_and_honest_jobs_go_on(
    shared: Served, name: str, body: str, settings: str, status: str | None, words: str
) -> None:
    shared.add(name, job(body, settings))
    shared.add(f"{name}_honest", job("return job.OK"))
    bad = shared.client.run_job(name)
    assert shared.run(f"{name}_honest").status == "COMPLETE"
    ended = shared.finished(bad.id)
    assert status is None or ended.status == status
    assert words in (ended.error or ""), ended.error
    assert shared.client.job(name).status == "INACTIVE"
    assert shared.client.job(f"{name}_honest").status == "WAITING"


def test_schedules_are_kept_beside_bad_jobs(home: Home) -> None:
    home.settings('limits.cpu = "2s"\nlimits.memory = "32MB"')
    home.write("honest", job("return job.OK", 'every = "1s"'))
    bad = {
        "spin": "while true do end",
        "eat": 'local s = "x" while true do s = s .. s end',
        "fail": 'error("x")',
    }
    for name, body in bad.items():
        home.write(name, job(body, 'every = "1s"'))
    with home.serving() as engine:
        until(lambda: {engine.client.job(name).status for name in bad} == {"INACTIVE"}, 30)
        runs = engine.ends("honest", 5)
        assert {run.status for run in runs} == {"COMPLETE"}
        gaps = {(later.due - sooner.due).total_seconds() for sooner, later in pairwise(runs)}
        assert gaps == {1.0}


def test_a_running_run_is_cancelled_and_its_job_stays(shared: Served, name: str) -> None:
    before = shared.add(name, job("while true do end", HOURLY))
    run = shared.client.run_job(name).id
    until(lambda: shared.client.run(run).status == "RUNNING")
    cancelled = shared.client.cancel(run)
    after = shared.client.job(name)
    assert (cancelled.status, cancelled.error) == ("CANCELLED", "cancelled by tester@here via socket")
    assert (after.status, after.next_run) == ("WAITING", before.next_run)


def test_a_waiting_run_is_cancelled_without_having_run(home: Home) -> None:
    home.settings("pool.size = 1")
    home.write("long", job("core.sleep(600) return job.OK"))
    with home.serving() as engine:
        first, second = (engine.client.run_job("long").id for _ in range(2))
        assert engine.client.run(second).status == "QUEUED"
        assert (engine.client.cancel(second).status, engine.client.run(second).started) == ("CANCELLED", None)
        assert engine.client.run(first).status == "RUNNING"
        engine.client.cancel(first)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_worker_that_crashes_ends_its_run_only(shared: Served, name: str, number: signal.Signals) -> None:
    shared.add(name, job('core.log("here") while true do end', HOURLY))
    run = shared.client.run_job(name).id
    until(lambda: shared.log(run) == ["here"])
    os.kill(_busy_worker(shared), number)
    ended = shared.finished(run)
    assert ended.status == "CRASHED"
    assert f"worker crashed ({number.name})" in (ended.error or "")
    assert shared.client.job(name).status == "INACTIVE"
    shared.add(f"{name}_next", job("return job.OK"))
    assert shared.run(f"{name}_next").status == "COMPLETE"


def _busy_worker(engine: Served) -> int:
    """Return the process id of the one worker that uses the processor."""
    before = {one.pid: _cpu_ticks(one.pid) for one in engine.workers()}
    until(lambda: any(_cpu_ticks(pid) > ticks + 5 for pid, ticks in before.items()))
    return max(before, key=lambda pid: _cpu_ticks(pid) - before[pid])


def _cpu_ticks(pid: int) -> int:
    """Return the processor time that a process has used; 0 once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(fields[11]) + int(fields[12])


def test_the_parent_of_the_workers_is_replaced_when_it_dies(home: Home) -> None:
    home.write("long", job("core.sleep(600) return job.OK", HOURLY))
    home.write("tick", job("return job.OK", 'every = "1s"'))
    with home.serving() as engine:
        run = engine.client.run_job("long").id
        until(lambda: engine.client.run(run).status == "RUNNING")
        zygote = next(one for one in engine.family() if "zygote" in one.command)
        os.kill(zygote.pid, signal.SIGKILL)
        assert engine.finished(run).status == "CRASHED"
        until(lambda: engine.client.status().workers > 0)
        before = len(engine.ends("tick", 1))
        assert {one.status for one in engine.ends("tick", before + 2)[before:]} == {"COMPLETE"}
        assert "the workers were started again" in engine.output


FORGERIES = {
    "returns an outcome": "return job.OK, { status = 'COMPLETE', run = 1, id = 1, job = 'honest' }",
    "changes its run": "run.id = 1 run.job = 'honest' return job.OK, 'forged'",
    "changes its codes": "job.OK = 'STOP' job.EXIT = job.SLEEP return job.EXIT",
    "changes the library": "table.concat = nil string.format = nil core.log('x') return job.OK",
    "prints a message": "print(string.char(0, 0, 0, 4) .. 'done') return job.OK",
    "coroutine": "return coroutine.wrap(function() return job.OK, 'wrapped' end)()",
}


@pytest.mark.parametrize("body", FORGERIES.values(), ids=FORGERIES.keys())
def test_what_a_run_returns_or_prints_changes_no_other_run(shared: Served, name: str, body: str) -> None:
    shared.add(f"{name}_honest", job("return job.OK, 'honest'"))
    honest = shared.run(f"{name}_honest")
    shared.add(name, job(body))
    forged = shared.run(name)
    assert forged.id != honest.id
    assert (forged.job, shared.client.run(honest.id)) == (name, honest)
    assert shared.run(f"{name}_honest").result == "honest"


def test_globals_of_one_run_are_not_there_in_the_next(shared: Served, name: str) -> None:
    shared.add(
        name,
        job("seen = (seen or 0) + 1 string.seen = (string.seen or 0) + 1 return job.OK, seen + string.seen"),
    )
    assert [shared.run(name).result for _ in range(4)] == [2, 2, 2, 2]


def test_too_many_calls_end_the_run_with_clear_words(home: Home) -> None:
    home.settings("limits.calls = 100")
    home.write("busy", job('for i = 1, 1000 do core.data("x"):get({ n = i }) end return job.OK'))
    with home.serving() as engine:
        run = engine.run("busy")
    assert run.status == "ERROR"
    assert "100" in (run.error or "")
    assert "call" in (run.error or "")
