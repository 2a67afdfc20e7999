"""What a run in the sandbox returns, and what is said about files that are no jobs."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.sandbox.pool import WorkerPool
from engine.sandbox.program import EndKind
from engine.states import Returned

from .conftest import RememberingHost, Run, job, program

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.mark.parametrize("code", list(Returned))
async def test_each_of_the_four_codes_arrives(run: Run, code: Returned) -> None:
    ending = await run(f"return job.{code}")
    assert (ending.kind, ending.returned, ending.error) == (EndKind.RETURNED, code, None)


async def test_the_codes_of_any_job_object_are_the_same(run: Run) -> None:
    assert (await run("return core.job().STOP")).returned is Returned.STOP


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("", "nothing"),
        ("nil", "nothing"),
        ("true", "true"),
        ("false", "false"),
        ("0", "0"),
        ("'OK'", 'the string "OK"'),
        ("{}", "a table"),
        ("setmetatable({}, {__eq = function() return true end})", "a table"),
        ("function() end", "a function"),
    ],
)
async def test_any_other_return_is_a_bad_return_in_words(run: Run, returned: str, words: str) -> None:
    ending = await run(f"return {returned}")
    assert ending.kind is EndKind.BAD_RETURN
    assert ending.error == (
        f"run() returned {words}; it must return job.OK, job.SLEEP, job.STOP, job.EXIT or job.RETRY"
    )


async def test_an_overwritten_code_is_a_bad_return(run: Run) -> None:
    assert (await run("job.OK = true return job.OK")).kind is EndKind.BAD_RETURN


async def test_a_code_cannot_be_changed(run: Run) -> None:
    assert "job.OK cannot be changed" in str((await run("job.OK.x = 1")).error)


async def test_the_second_value_is_the_result(run: Run) -> None:
    ending = await run("return job.OK, { sold = 3, names = { 'a', 'b' }, share = 0.5, none = {} }")
    assert ending.result == {"sold": 3, "names": ["a", "b"], "share": 0.5, "none": {}}


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ("print", "it holds a function"),
        ("{ f = print }", "it holds a function"),
        ("{ x = 0/0 }", "it holds NaN"),
        ("1/0", "it holds an infinite number"),
        ("(function() local t = {} t.t = t return t end)()", "it contains itself"),
        ("('x'):rep(2 * 1024 * 1024)", "it is larger than 1 MB"),
        ("{ [true] = 1 }", "it has a key that is a boolean; keys must be strings or numbers"),
        (
            "(function() local t = {} for i = 1, 40 do t = { t } end return t end)()",
            "its tables are nested deeper than 32 levels",
        ),
        (
            "(function() local t = {} for i = 1, 100001 do t[i] = 1 end return t end)()",
            "it has more than 100000 values",
        ),
        ("coroutine.create(print)", "it holds a thread"),
    ],
)
async def test_a_result_that_cannot_travel_is_replaced_by_a_note(run: Run, result: str, why: str) -> None:
    ending = await run(f"return job.OK, {result}")
    assert (ending.kind, ending.returned, ending.result) == (EndKind.RETURNED, Returned.OK, None)
    assert ending.result_note == f"the result was not kept: {why}"


async def test_a_result_above_its_limit_is_replaced_by_a_note(run: Run) -> None:
    ending = await run("return job.OK, ('x'):rep(2000)", result_bytes=1024)
    assert ending.result is None
    assert ending.result_note == "the result was not kept: it is larger than 1 KB"


async def test_the_context_is_the_argument_of_run(run: Run) -> None:
    context = {"id": 7, "data": {"n": 2.0, "list": [1, None, 3], "gone": None}, "name": "Zoë"}
    ending = await run(
        "return job.OK, { run.id, run.data.n, run.data.list, run.data.gone == nil, run.name,"
        " math.type(run.data.n), run.data.list[2] == core.NULL }",
        context=context,
    )
    assert ending.result == [7, 2, [1, None, 3], True, "Zoë", "integer", True]


async def test_data_that_lua_cannot_hold_is_said_so(run: Run) -> None:
    ending = await run("return job.OK", context={"data": 2**70})
    assert ending.kind is EndKind.LUA_ERROR
    assert str(ending.error).startswith("shop/report.lua: the run's data cannot be given to the job")


async def test_an_error_has_its_line_and_the_way_to_it(run_file: Run) -> None:
    ending = await run_file(
        "local job = core.job()\n"
        "local function deeper(x)\n  return x.y.z\nend\n"
        "function job.run()\n  local v = deeper({})\n  return job.OK\nend\nreturn job"
    )
    assert ending.kind is EndKind.LUA_ERROR
    assert str(ending.error).splitlines() == [
        "shop/report.lua:3: attempt to index a nil value (field 'y')",
        "  shop/report.lua:3: in deeper()",
        "  shop/report.lua:6: in job.run()",
    ]


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        ("error()", "error value: nil"),
        ("error({ code = 5 })", "error value: {code = 5}"),
        ("error(setmetatable({}, { __tostring = function() error('no') end }))", "error value: a table"),
        ("error('not enough memory', 0)", "not enough memory (raised by the job)"),
        ("error(42)", "error value: 42"),
    ],
)
async def test_any_value_can_be_an_error(run: Run, raised: str, words: str) -> None:
    ending = await run(raised)
    assert (ending.kind, str(ending.error).splitlines()[0]) == (EndKind.LUA_ERROR, words)


async def test_a_long_error_is_cut(run: Run) -> None:
    ending = await run("error(('x'):rep(100000))")
    assert 8000 < len(str(ending.error)) < 8300


async def test_a_traceback_through_endless_recursion_is_short(run: Run) -> None:
    ending = await run("local function f() return 1 + f() end f()", memory_bytes=2**27)
    assert "stack overflow" in str(ending.error)
    assert len(str(ending.error).splitlines()) < 60


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "shop/report.lua: the file must end with `return job`"),
        ("local job = core.job()", "shop/report.lua: the file must end with `return job`"),
        ("return 5", "shop/report.lua: the file must end with `return job`; it returned 5"),
        ("return {}", "shop/report.lua: the file must end with `return job`; it returned a table"),
        ("return core.job()", "shop/report.lua: job.run is missing: define function job.run() ... end"),
        (
            "local job = core.job() job.run = 5 return job",
            "shop/report.lua: job.run must be a function, got 5",
        ),
        ("x = = 1", "shop/report.lua:1: unexpected symbol near '='"),
        ("\x1bLua", "shop/report.lua: this is compiled Lua; job files are text"),
        ("\n\nerror('no')", "shop/report.lua:3: no\n  shop/report.lua:3: in the file itself"),
        ("core.job(5)", "shop/report.lua:1: core.job: settings must be a table, got 5"),
    ],
)
async def test_a_file_that_is_no_job_is_told_why(
    pool: WorkerPool, host: RememberingHost, source: str, words: str
) -> None:
    ending = await pool.run(program(source), host)
    declaration = await pool.declare("shop/report.lua", source.encode(), host)
    assert ending.kind is EndKind.LUA_ERROR
    assert str(ending.error).startswith(words)
    assert declaration.settings is None
    assert str(declaration.error).startswith(words)


async def test_a_source_that_is_too_large_is_refused(run_file: Run) -> None:
    ending = await run_file(b"-" * 300_000)
    assert ending.error == "shop/report.lua: the file is larger than 256 KB"


async def test_a_byte_order_mark_and_a_shebang_are_no_errors(run_file: Run) -> None:
    ending = await run_file("\ufeff#!/usr/bin/lua\n" + job("return job.OK"))
    assert ending.error is None


async def test_settings_come_out_as_they_were_written(pool: WorkerPool, host: RememberingHost) -> None:
    source = b"""local job = core.job { every = "2m", retries = 3, jitter = 0.5, tags = { team = "shop" },
      days = { "Mon", "Tue" }, active = true, none = core.NULL }
      function job.run() end return job"""
    declaration = await pool.declare("a.lua", source, host)
    assert declaration.settings == {
        "every": "2m",
        "retries": 3,
        "jitter": 0.5,
        "tags": {"team": "shop"},
        "days": ["Mon", "Tue"],
        "active": True,
        "none": None,
    }


@pytest.mark.parametrize(
    ("settings", "varies"),
    [
        ("every = 60", False),
        ("every = os.difftime(60, 0)", False),
        ("every = os.time()", True),
        ("every = os.date('!%H')", True),
        ("every = 60 + os.clock()", True),
        ("every = math.random(60, 90)", True),
        ("every = (math.random() < 2) and 60", True),
    ],
)
async def test_settings_that_come_from_time_or_chance_are_told_as_such(
    pool: WorkerPool, host: RememberingHost, settings: str, varies: bool
) -> None:
    source = f"local job = core.job {{ {settings} }}\nfunction job.run() end\nreturn job"
    declaration = await pool.declare("a.lua", source.encode(), host)
    assert (declaration.error, declaration.varies) == (None, varies)


async def test_a_job_without_settings_declares_an_empty_table(
    pool: WorkerPool, host: RememberingHost
) -> None:
    declaration = await pool.declare("a.lua", job("return job.OK").encode(), host)
    assert (declaration.settings, declaration.error) == ({}, None)


async def test_a_setting_that_is_a_function_is_refused_with_its_line(
    pool: WorkerPool, host: RememberingHost
) -> None:
    declaration = await pool.declare("a.lua", b"\nlocal job = core.job { f = print }\nreturn job", host)
    assert declaration.line == 2
    assert declaration.error is not None
    assert "a.lua:2: core.job: the settings cannot be used: it holds a function" in declaration.error


async def test_declaring_does_not_run_the_job(pool: WorkerPool, host: RememberingHost) -> None:
    await pool.declare("a.lua", job("core.log('ran') return job.OK").encode(), host)
    assert host.notices == []


@pytest.mark.parametrize(
    ("call", "label"),
    [
        ("core.log('x')", "core.log"),
        ("core.test.echo(1)", "core.test.echo"),
        ("core.uuid()", "core.uuid"),
        ("core.json.encode({})", "core.json.encode"),
        ("print('x')", "print"),
    ],
)
async def test_outside_of_run_core_calls_raise(
    pool: WorkerPool, host: RememberingHost, call: str, label: str
) -> None:
    source = f"{call}\n{job('return job.OK')}"
    declaration = await pool.declare("a.lua", source.encode(), host)
    ending = await pool.run(program(source), host)
    assert str(declaration.error).startswith(f"a.lua:1: {label}: only inside job.run()")
    assert str(ending.error).startswith(f"shop/report.lua:1: {label}: only inside job.run()")
    assert host.calls == host.notices == []


async def test_core_functions_may_be_named_outside_and_called_inside(run_file: Run) -> None:
    ending = await run_file(
        "local echo, log = core.test.echo, core.log\n" + job("log('x') return job.OK, echo(5)")
    )
    assert ending.result == 5


async def test_the_time_helpers_tell_utc_and_local_time(run: Run) -> None:
    body = """local function all(f) return { job.minute(f), job.hour(f), job.day(f), job.dayNum(f),
      job.dayMonth(f), job.weekNum(f), job.month(f), job.monthNum(f) } end
      return job.OK, { all(), all(true), job:hour(true), job:hour() }"""
    zone = ZoneInfo("Asia/Kathmandu")
    before = datetime.now(UTC)
    ending = await run(body, timezone="Asia/Kathmandu")
    after = datetime.now(UTC)
    utc, local, colon_local, colon_utc = ending.result
    assert utc in [_helpers(before), _helpers(after)]
    assert local in [_helpers(before.astimezone(zone)), _helpers(after.astimezone(zone))]
    assert (colon_local, colon_utc) == (local[1], utc[1])


def _helpers(at: datetime) -> list[object]:
    return [
        at.minute,
        at.hour,
        at.strftime("%a"),
        at.isoweekday(),
        at.day,
        int(at.strftime("%W")),
        at.strftime("%b"),
        at.month,
    ]


async def test_an_unknown_time_zone_is_said_so(run: Run) -> None:
    ending = await run("return job.OK", timezone="Middle/Earth")
    assert ending.error == "shop/report.lua: unknown time zone 'Middle/Earth'"


async def test_nothing_is_left_from_one_run_to_the_next(run: Run) -> None:
    await run("leftover = 1 string.leftover = 2 core.leftover = 3 job.leftover = 4 return job.OK")
    ending = await run(
        "return job.OK, { tostring(leftover), tostring(string.leftover), tostring(core.leftover) }"
    )
    assert ending.result == ["nil", "nil", "nil"]
