"""What job code finds: Lua, time helpers, and the core functions, through a real engine."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.conftest import Served, job

PROGRAMS: dict[str, tuple[str, Any]] = {
    "the version is 5.5": ("return job.OK, _VERSION", "Lua 5.5"),
    "unpack is a global": ("return job.OK, { unpack({ 1, 2 }) }", [1, 2]),
    "table.unpack is there too": ("return job.OK, { table.unpack({ 1, 2 }) }", [1, 2]),
    "whole numbers from outside are integers": (
        "return job.OK, tostring(run.data.n) .. math.type(run.data.n)",
        "3integer",
    ),
    "whole numbers in JSON are integers": ('return job.OK, tostring(core.json.decode("[7]")[1])', "7"),
    "fractions stay fractions": ("return job.OK, run.data.x * 2", 2.5),
    "undefined globals are nil": ("return job.OK, undefined_thing == nil", True),
    "pcall catches errors": ('return job.OK, (select(2, pcall(error, "x")))', "x"),
    "coroutines work": ("local c = coroutine.wrap(function() coroutine.yield(5) end) return job.OK, c()", 5),
    "core.json there and back": (
        "return job.OK, core.json.decode(core.json.encode({ a = { 1, 2 } })).a[2]",
        2,
    ),
    "core.json raises": ('return job.OK, (pcall(core.json.decode, "{x"))', False),
    "core.json_safe answers": (
        'local v, err = core.json_safe.decode("{x") return job.OK, { v == nil, err ~= nil }',
        [True, True],
    ),
    "core.sf": ('return job.OK, core.sf("%d-%s", 3, "x")', "3-x"),
    "core.trim": ('return job.OK, core.trim("  x ")', "x"),
    "core.split": ('return job.OK, core.split("a,b,c", ",")', ["a", "b", "c"]),
    "core.md5": ('return job.OK, core.md5("moontide")', "6bd1878e0f72a51ce37269749e75b3e7"),
    "core.uuid": ("return job.OK, #core.uuid()", 36),
    "core.NULL": (
        "return job.OK, { core.NULL ~= nil, core.ASC ~= nil, core.DESC ~= nil }",
        [True, True, True],
    ),
}


@pytest.mark.parametrize(("body", "result"), PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_program_gives_its_result(shared: Served, name: str, body: str, result: Any) -> None:
    shared.add(name, job(body))
    run = shared.run(name, {"n": 3, "x": 1.25})
    assert run.status == "COMPLETE", run.error
    assert run.result == result


def test_a_run_knows_what_it_is(shared: Served, name: str) -> None:
    shared.add(name, job("return job.OK, { run.id, run.job, run.trigger, run.attempt, run.data.n }"))
    run = shared.run(name, {"n": 3})
    assert run.result == [run.id, name, "manual", 1, 3]


def test_log_takes_anything_and_never_raises(shared: Served, name: str) -> None:
    body = """
      local cycle = {} cycle.me = cycle
      core.log("text", 1, 1.5, true, nil, { 1, { a = "b" } }, cycle, print, coroutine.create(print))
      core.log()
      core.log(setmetatable({}, { __tostring = error, __index = error, __pairs = error, __name = 5 }))
      core.log("\\xff\\27[31m", ("x"):rep(3))
      return job.OK"""
    shared.add(name, job(body))
    run = shared.run(name)
    assert run.status == "COMPLETE", run.error
    lines = shared.log(run.id)
    assert lines[0].startswith('text 1 1.5 true nil {1, {a = "b"}} ')
    assert "\x1b" not in "".join(lines)
    assert len(lines) == 4


def test_documents_are_saved_found_paged_and_deleted(shared: Served, name: str) -> None:
    body = """
      local notes = core.data("NAME")
      for i = 1, 5 do assert(notes:save({ n = i, kind = i % 2 == 0 and "even" or "odd" })) end
      local found = notes:get({ n = 3 })
      found.n = 30
      assert(notes:save(found))
      local page = notes:getPage(1, 2, core.ASC, { kind = "odd" })
      assert(notes:delete(notes:get({ n = 2 })))
      local gone = notes:get({ n = 2 }) == nil
      return job.OK, { kind = notes:get({ n = 30 }).kind, gone = gone, page = #page }"""
    shared.add(name, job(body.replace("NAME", name)))
    run = shared.run(name)
    assert run.status == "COMPLETE", run.error
    assert run.result == {"kind": "odd", "gone": True, "page": 2}


def test_a_wrong_argument_is_answered_and_stands_in_the_log(shared: Served, name: str) -> None:
    shared.add(
        name, job('local v, message, code = core.data("x"):get(5) return job.OK, { v == nil, message, code }')
    )
    run = shared.run(name)
    assert run.status == "COMPLETE", run.error
    nothing, message, code = run.result
    assert (nothing, code) == (True, 801)
    assert "get" in message
    assert any("get" in line for line in shared.log(run.id))


def test_time_helpers_answer_in_utc_and_in_the_jobs_zone(shared: Served, name: str) -> None:
    body = """
      local list = {}
      for helper in ("minute hour day dayNum dayMonth weekNum month monthNum"):gmatch("%a+") do
        list[#list + 1] = { tostring(job[helper]()), tostring(job[helper](true)), tostring(job[helper](job)) }
      end
      return job.OK, list"""
    shared.add(name, job(body, 'timezone = "Pacific/Kiritimati"'))
    helpers = shared.run(name).result
    assert len(helpers) == 8
    minute, hour, day = helpers[:3]
    assert all(re.fullmatch(r"\d+", value) for value in minute + hour)
    assert (int(hour[1]) - int(hour[0])) % 24 == 14
    assert day[0] in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    assert all(utc == by_colon for utc, _, by_colon in helpers[1:])
