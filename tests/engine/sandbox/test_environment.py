"""What a job finds in its globals, what it does not, and that it cannot get at the rest."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.sandbox.program import EndKind

from .conftest import RememberingHost, Run

pytestmark = pytest.mark.asyncio(loop_scope="package")

ValueOf = Callable[[str], Awaitable[Any]]


async def test_the_globals_are_exactly_those_allowed(value_of: ValueOf) -> None:
    names = await value_of(
        "(function() local t = {} for k in pairs(_G) do t[#t + 1] = k end table.sort(t)"
        " return table.concat(t, ' ') end)()"
    )
    assert names == (
        "_G _VERSION assert collectgarbage core coroutine debug dofile error getfenv getmetatable io ipairs "
        "load loadfile loadstring math module newproxy next os package pairs pcall print rawequal rawget "
        "rawlen rawset require select setfenv setmetatable string table tonumber tostring type unpack utf8 "
        "xpcall"
    )


@pytest.mark.parametrize(
    ("use", "name"),
    [
        ("load('return 1')", "load"),
        ("loadstring('return 1')", "loadstring"),
        ("dofile('x.lua')", "dofile"),
        ("loadfile('x.lua')", "loadfile"),
        ("io.open('/etc/passwd')", "io"),
        ("io.write('x')", "io"),
        ("package.loaded.io", "package"),
        ("package.loadlib('x', 'y')", "package"),
        ("debug.getregistry()", "debug.getregistry"),
        ("debug.getinfo(1)", "debug.getinfo"),
        ("debug.setmetatable('', {})", "debug.setmetatable"),
        ("collectgarbage('count')", "collectgarbage"),
        ("os.execute('id')", "os.execute"),
        ("os.getenv('HOME')", "os.getenv"),
        ("os.exit(0)", "os.exit"),
        ("os.remove('x')", "os.remove"),
        ("os.rename('x', 'y')", "os.rename"),
        ("os.tmpname()", "os.tmpname"),
        ("string.dump(print)", "string.dump"),
        ("('x').dump(print)", "string.dump"),
        ("setfenv(1, {})", "setfenv"),
        ("getfenv(1)", "getfenv"),
        ("newproxy(true)", "newproxy"),
        ("module('x')", "module"),
    ],
)
async def test_what_is_missing_says_why(run: Run, use: str, name: str) -> None:
    ending = await run(f"local x = {use}")
    assert ending.kind is EndKind.LUA_ERROR
    assert str(ending.error).startswith(f"shop/report.lua:1: {name} is not available in jobs: ")
    assert "attempt to" not in str(ending.error)


async def test_undefined_globals_read_as_nil(value_of: ValueOf) -> None:
    assert await value_of("{ nothing == nil, python == nil, jit == nil, core.nothing == nil }") == [True] * 4


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{ unpack({ 1, 2, 3 }) }", [1, 2, 3]),
        ("{ table.unpack({ 1, 2 }) }", [1, 2]),
        ("table.getn({ 1, 2 })", 2),
        ("table.maxn({ 1, nil, 3 })", 3),
        ("math.pow(2, 10)", 1024.0),
        ("math.log10(1000)", pytest.approx(3.0)),
        ("math.mod(7, 4)", 3),
        ("{ math.frexp(8) }", [0.5, 4]),
        ("math.ldexp(0.5, 4)", 8.0),
        ("string.format('%d', 3.5)", "3"),
        ("string.format('%d', -3.5)", "-3"),
        ("('%5d|%x|%i'):format(3.0, 255.9, '7.2')", "    3|ff|7"),
        ("string.format('%u', 5)", "5"),
        ("string.format('%s %s %s', nil, true, 5)", "nil true 5"),
        ("string.format('%5.1f%%', 12.34)", " 12.3%"),
        ("string.format('%q', 'a\\nb')", '"a\\\nb"'),
        ("core.sf('%s-%d', 'a', 7.0)", "a-7"),
        ("(function(...) return select('#', ...) end)(nil, nil)", 2),
        ("('abc'):upper() .. ('x'):rep(3)", "ABCxxx"),
        ("tostring(12) .. 7", "127"),
        ("os.time({ year = 1970, month = 1, day = 2, hour = 0 })", 86400),
        ("os.date('%Y-%m-%d %H:%M:%S', 0)", "1970-01-01 00:00:00"),
        ("os.date('*t', 0).isdst", False),
        ("type(os.clock()) .. math.type(os.time())", "numberinteger"),
        ("pcall(error, 'x')", False),
        ("select(2, pcall(error, 'x', 0))", "x"),
        ("utf8.char(228)", "ä"),
        ("_G._G == _G", True),
        ("type(_G.core.log)", "function"),
        ("_VERSION", "Lua 5.5"),
    ],
)
async def test_common_programs_keep_working(value_of: ValueOf, expression: str, expected: Any) -> None:
    assert await value_of(expression) == expected


async def test_methods_added_to_string_work_on_strings(run: Run) -> None:
    ending = await run(
        "function string.starts(s, p) return s:sub(1, #p) == p end return job.OK, ('abc'):starts('ab')"
    )
    assert ending.result is True


async def test_gmatch_iterates_as_ever(value_of: ValueOf) -> None:
    loop = "for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do t[k] = v end"
    assert await value_of(f"(function() local t = {{}} {loop} return t end)()") == {"a": "1", "b": "2"}


async def test_a_gmatch_iterator_is_dead_after_an_error(run: Run) -> None:
    ending = await run("""
      local iterator = string.gmatch(('a'):rep(1000), ('a?'):rep(300))
      local first = { pcall(iterator) }
      local second = { pcall(iterator) }
      return job.OK, { first[1], first[2], second[1], second[2] }""")
    assert ending.kind is EndKind.RETURNED
    assert ending.result[0] is False
    assert "pattern too complex" in ending.result[1]
    assert ending.result[3] == "shop/report.lua:4: string.gmatch: this iterator ended with an error"


@pytest.mark.parametrize(
    "expression",
    [
        "tostring({})",
        "tostring(print)",
        "tostring(coroutine.create(print))",
        "string.format('%s', {})",
        "('%s'):format(print)",
        "select(2, pcall(string.format, '%p', {}))",
        "tostring(job.OK) .. tostring(core.NULL) .. tostring(io)",
        "tostring(setmetatable({}, { __name = 'x' }))",
        "select(2, pcall(table.concat, { {} }))",
        "select(2, pcall(string.rep))",
        "debug.traceback('x')",
    ],
)
async def test_no_text_has_an_address(value_of: ValueOf, expression: str) -> None:
    text = await value_of(expression)
    assert not re.search(r"0x[0-9a-f]{4}", text)


async def test_the_same_object_has_the_same_text_and_another_has_another(value_of: ValueOf) -> None:
    compared = "{ tostring(a) == tostring(a), tostring(a) == tostring(b) }"
    source = f"(function() local a, b = {{}}, {{}} return {compared} end)()"
    assert await value_of(source) == [True, False]


async def test_tostring_obeys_metatables(value_of: ValueOf) -> None:
    assert await value_of("tostring(setmetatable({}, { __tostring = function() return 'me' end }))") == "me"


async def test_a_module_that_overflows_the_compiler_is_named_in_the_error(
    run: Run, host: RememberingHost
) -> None:
    host.libraries["lib.deep"] = b"return " + b"(" * 100_000
    ending = await run("require 'lib.deep'")
    assert str(ending.error).startswith("lib/deep.lua: C stack overflow")
    assert "message =" not in str(ending.error)


async def test_finalisers_are_refused(run: Run) -> None:
    ending = await run("setmetatable({}, { __gc = function() while true do end end })")
    assert "__gc is not available in jobs" in str(ending.error)


async def test_a_finaliser_put_in_later_never_runs(run: Run, host: RememberingHost) -> None:
    ending = await run("""
      local meta = {}
      for i = 1, 1000 do setmetatable({}, meta) end
      meta.__gc = function() core.log('finalised') end
      local t = {} for i = 1, 200000 do t = { t[1] } end
      return job.OK""")
    assert ending.kind is EndKind.RETURNED
    assert host.lines == []


async def test_metatables_of_strings_and_constants_are_hidden(value_of: ValueOf) -> None:
    assert (
        await value_of(
            "{ getmetatable(''), getmetatable(job.OK), getmetatable(core.NULL), getmetatable(io),"
            " getmetatable(job) }"
        )
        == [False] * 5
    )


async def test_a_hidden_metatable_cannot_be_replaced(run: Run) -> None:
    ending = await run("setmetatable(io, {})")
    assert "cannot change a protected metatable" in str(ending.error)


async def test_changed_library_functions_do_not_reach_trusted_code(run: Run) -> None:
    ending = await run("""
      for _, library in ipairs({ string, table, math, utf8, coroutine, os }) do
        for name in pairs(library) do library[name] = function() error('hijacked') end end
      end
      local globals = _G
      for name in next, globals do if name ~= 'core' then globals[name] = nil end end
      return job.OK, { core.test.echo({ a = 1, b = { 'x' } }), core.json.encode({ 1 }), core.md5('') }""")
    assert ending.error is None
    assert ending.result == [{"a": 1, "b": ["x"]}, "[1]", "d41d8cd98f00b204e9800998ecf8427e"]


@pytest.mark.parametrize(
    "hostile",
    [
        "__index = function() error('index') end, __len = function() return 1e9 end",
        "__pairs = function() error('pairs') end",
        "__eq = function() return true end, __lt = function() return true end",
        "__tostring = function() error('tostring') end, __concat = function() error('concat') end",
        "__metatable = 'mine', __name = 'job'",
    ],
)
async def test_metamethods_of_a_job_s_values_stay_out_of_trusted_code(run: Run, hostile: str) -> None:
    ending = await run(f"""
      local value = setmetatable({{ a = 1 }}, {{ {hostile} }})
      core.log(value)
      return job.OK, {{ core.test.echo(value), value }}""")
    assert ending.error is None
    assert ending.result == [{"a": 1}, {"a": 1}]


async def test_print_writes_to_the_log(run: Run, host: RememberingHost) -> None:
    await run("print('a', 1, nil, {}) return job.OK")
    assert host.notices == [("log.write", ["info", "a\t1\tnil\ttable: 1"])]


async def test_random_numbers_differ_from_run_to_run(value_of: ValueOf) -> None:
    seen = {tuple(await value_of("{ math.random(2^31), math.random(2^31) }")) for _ in range(5)}
    assert len(seen) == 5


async def test_a_traceback_can_be_had_for_xpcall(value_of: ValueOf) -> None:
    text = await value_of("select(2, xpcall(function() error('here') end, debug.traceback))")
    assert text.startswith("shop/report.lua:1: here\nstack traceback:\n  shop/report.lua:1: in ")


# require


async def test_a_library_module_is_loaded_once(run: Run, host: RememberingHost) -> None:
    host.libraries["lib.money"] = b"loads = (loads or 0) + 1 return { twice = function(n) return n * 2 end }"
    ending = await run(
        "local a, b = require 'lib.money', require('lib.money')\n"
        "return job.OK, { a.twice(21), a == b, loads }"
    )
    assert ending.result == [42, True, 1]


async def test_a_module_that_returns_nothing_gives_true(run: Run, host: RememberingHost) -> None:
    host.libraries["lib.deep.er"] = b""
    assert (await run("return job.OK, require 'lib.deep.er'")).result is True


@pytest.mark.parametrize(
    "name",
    [
        "'os'",
        "'lib'",
        "'lib.'",
        "'lib..x'",
        "'lib.x.'",
        "'../x'",
        "'lib./etc'",
        "'lib.x y'",
        "5",
        "nil",
        "'Lib.x'",
    ],
)
async def test_other_names_are_refused(run: Run, name: str) -> None:
    ending = await run(f"require({name})")
    assert str(ending.error).startswith(
        'shop/report.lua:1: require: only modules below jobs/lib can be loaded, such as require "lib.money"'
    )


async def test_a_module_that_is_not_there_is_said_so(run: Run) -> None:
    ending = await run("\nrequire 'lib.none'")
    assert str(ending.error).startswith(
        "shop/report.lua:2: require: lib.none: there is no such file in jobs/lib"
    )


async def test_an_error_in_a_module_names_its_file_and_line(run: Run, host: RememberingHost) -> None:
    host.libraries["lib.money"] = b"\nerror('broke')"
    host.libraries["lib.typo"] = b"x = = 1"
    broke, typo = await run("require 'lib.money'"), await run("require 'lib.typo'")
    assert str(broke.error).splitlines()[:2] == [
        "lib/money.lua:2: broke",
        "  lib/money.lua:2: in the file itself",
    ]
    assert str(typo.error).startswith("lib/typo.lua:1: unexpected symbol")


async def test_modules_that_need_each_other_are_told_so(run: Run, host: RememberingHost) -> None:
    host.libraries["lib.a"] = b"require 'lib.b'"
    host.libraries["lib.b"] = b"require 'lib.a'"
    ending = await run("require 'lib.a'")
    assert "lib/b.lua:1: require: lib.a needs itself, directly or by another module" in str(ending.error)


async def test_a_module_that_failed_can_be_tried_again(run: Run, host: RememberingHost) -> None:
    host.libraries["lib.a"] = b"tries = (tries or 0) + 1 if tries == 1 then error('once') end return tries"
    ending = await run("local ok = pcall(require, 'lib.a') return job.OK, { ok, require 'lib.a' }")
    assert ending.result == [False, 2]
