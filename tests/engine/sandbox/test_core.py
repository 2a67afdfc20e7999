"""The functions of `core` that live in the worker, and how calls of the others travel."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.calls.core import ModuleManifest
from engine.errors import PluginError
from engine.sandbox.program import EndKind

from .conftest import RememberingHost, Run, job, make_pool, program

pytestmark = pytest.mark.asyncio(loop_scope="package")

ValueOf = Callable[[str], Awaitable[Any]]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("core.json.encode({ a = 1, b = { 1, 2.0, 2.5 }, c = core.NULL })", None),
        ("core.json.encode({ 1, core.NULL, 3 })", "[1,null,3]"),
        ("core.json.encode({})", "{}"),
        ("core.json.encode('x')", '"x"'),
        ("core.json.encode({ x = 3.0 })", '{"x":3}'),
        ("core.json.encode({ [5] = true })", '{"5":true}'),
        ("core.json.encode(nil)", "null"),
        ('core.json.decode(\'{"a": 1.0, "b": null, "c": [1, null]}\')', {"a": 1, "c": [1, None]}),
        ("math.type(core.json.decode('1e3'))", "integer"),
        ("core.json.decode('[9007199254740993, -5, 0.5]')", [9007199254740993, -5, 0.5]),
        ("core.json.decode('null') == nil", True),
        ("{ core.json_safe.decode('{bad') }", None),
        ("core.trim('  a b\\t\\n')", "a b"),
        ("core.trim('   ')", ""),
        ("core.trim(5)", "5"),
        ("core.split('a,b,,c')", ["a", "b", "", "c"]),
        ("core.split('a--b-c', '--')", ["a", "b-c"]),
        ("core.split('a.b', '.')", ["a", "b"]),
        ("core.split('')", [""]),
        ("{ core.ASC, core.DESC }", [1, -1]),
        ("core.sf('%s is %d', 'x', 5.9)", "x is 5"),
    ],
)
async def test_core_helpers(value_of: ValueOf, expression: str, expected: Any) -> None:
    value = await value_of(expression)
    if expected is not None:
        assert value == expected


async def test_what_a_state_loads_late_is_there_also_when_a_coroutine_asks_for_it_first(
    value_of: ValueOf,
) -> None:
    expression = """coroutine.wrap(function()
      return { core.json.encode({ 1 }), core.test.echo(2), tostring(3), core.sf('%d', 4.5), job.hour() >= 0 }
    end)()"""
    assert await value_of(expression) == ["[1]", 2, "3", "4", True]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("core.json.encode({ f = print })", "core.json.encode: it holds a function"),
        ("core.json.encode({ 0/0 })", "core.json.encode: it holds NaN"),
        ("core.json.encode('\\xff')", "core.json.encode: a string in it is not UTF-8 text"),
        ("core.json.decode('{bad')", "core.json.decode: object keys must be strings (byte 1)"),
        ("core.json.decode('')", "core.json.decode: Input data was truncated"),
        ("core.json.decode()", "core.json.decode: JSON text is required, got nil"),
        ("core.json.decode(('['):rep(100000))", "core.json.decode: the text is nested too deep"),
        ("core.json.decode(('x'):rep(11 * 2^20))", "core.json.decode: the text is larger than 10 MB"),
    ],
)
async def test_json_raises_and_json_safe_returns_the_error(run: Run, call: str, error: str) -> None:
    raised = await run(call)
    returned = await run(f"return job.OK, {{ select(2, {call.replace('core.json', 'core.json_safe')}) }}")
    assert str(raised.error).startswith(f"shop/report.lua:1: {error}")
    assert returned.result[0] == error


@pytest.mark.parametrize("text", ["", "a", "abc", "x" * 55, "x" * 56, "x" * 64, "ä" * 1000])
async def test_md5_agrees_with_the_reference(value_of: ValueOf, text: str) -> None:
    expected = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    assert await value_of(f"core.md5('{text}')") == expected


async def test_uuids_are_random_ones(value_of: ValueOf) -> None:
    made = await value_of("{ core.uuid(), core.uuid() }")
    assert made[0] != made[1]
    assert [uuid.UUID(text).version for text in made] == [4, 4]
    assert [str(uuid.UUID(text)) for text in made] == made


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("core.trim()", ["core.trim: text is required", 804]),
        ("core.trim({})", ["core.trim: text must be a string, got a table", 801]),
        ("core.split(nil)", ["core.split: text is required", 804]),
        ("core.split('a', '')", ["core.split: the separator must be a string that is not empty", 801]),
        ("core.md5(true)", ["core.md5: text must be a string, got true", 801]),
    ],
)
async def test_wrong_arguments_are_answered_not_raised(run: Run, call: str, answer: list[Any]) -> None:
    ending = await run(f"return job.OK, {{ select(2, {call}) }}")
    assert ending.result == answer


async def test_a_call_carries_its_arguments_and_values(run: Run, host: RememberingHost) -> None:
    ending = await run("""
      local a, b, c, d = core.test.echo(1, nil, { x = 2.5, list = { 1, core.NULL } }, nil)
      return job.OK, { a, b == nil, c, d == nil, select('#', core.test.echo(1, nil, nil)) }""")
    assert host.calls[0] == ("test.echo", [1, None, {"x": 2.5, "list": [1, None]}, None])
    assert ending.result == [1, True, {"x": 2.5, "list": [1, None]}, True, 3]


async def test_whole_numbers_arrive_as_integers(run: Run, host: RememberingHost) -> None:
    host.answer = {"price": 5.0, "rate": 0.5}
    ending = await run("local a = core.test.answer() return job.OK, a.price .. ' ' .. a.rate")
    assert ending.result == "5 0.5"


async def test_bytes_travel_unchanged(run: Run, host: RememberingHost) -> None:
    host.answer = bytes(range(256))
    ending = await run(
        "local b = core.test.answer() core.test.echo(b) return job.OK, { #b, b:byte(1), b:byte(256) }"
    )
    assert ending.result == [256, 0, 255]
    assert host.calls[1][1] == [bytes(range(256))]


async def test_a_core_error_becomes_nil_message_and_code(run: Run) -> None:
    ending = await run("local a, b, c = core.test.fail() return job.OK, { a == nil, b, c }")
    assert ending.result == [True, "core.test.fail: it is Monday", 815]


async def test_a_bug_of_a_plugin_is_logged_and_not_shown(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        ending = await run("return job.OK, { select(2, core.test.break_down()) }")
    message, code = ending.result
    assert message.startswith("internal error in test.break_down; the engine's log has it under ")
    assert "secret" not in message
    assert code == 810
    assert "a secret of the engine" in caplog.text
    assert message.rsplit(" ", 1)[1] in caplog.text


async def test_a_call_after_refused_ones_has_its_own_arguments_only(run: Run, host: RememberingHost) -> None:
    ending = await run(
        """
        local function call(...) return pcall(core.test.echo, ...) end
        local own = {}
        own.own = own
        call("lost", { deep = { print } })
        call({ own })
        call(("x"):rep(600), ("x"):rep(2 * 1024 * 1024))
        call({ deep = { { 1 } } }, "kept")
        return job.OK
        """
    )
    assert ending.kind is EndKind.RETURNED
    assert host.calls == [("test.echo", [{"deep": [[1]]}, "kept"])]


async def test_many_names_and_long_texts_arrive_as_they_were(run: Run, host: RememberingHost) -> None:
    ending = await run(
        """
        for round = 1, 3 do
          local row = { long = ("y"):rep(5000 * round), [round] = "" }
          for i = 1, 50 do row["name " .. i * round] = "value " .. i end
          core.test.echo(row)
        end
        return job.OK
        """
    )
    assert ending.kind is EndKind.RETURNED
    for round_, (_, (row,)) in enumerate(host.calls, 1):
        names = {f"name {i * round_}": f"value {i}" for i in range(1, 51)}
        assert row == {"long": "y" * 5000 * round_, round_: "", **names}
    assert len(host.calls) == 3


async def test_what_was_passed_to_a_call_does_not_stay_in_the_memory_of_the_job(run: Run) -> None:
    ending = await run(
        """
        for _ = 1, 30 do
          local big = {}
          for i = 1, 20 do big[i] = ("z"):rep(30000) .. i end
          pcall(core.test.echo, big, print)
          core.test.echo(big)
        end
        return job.OK
        """,
        memory_bytes=8 * 2**20,
    )
    assert ending.kind is EndKind.RETURNED


async def test_an_argument_that_cannot_travel_is_answered_with_801(run: Run, host: RememberingHost) -> None:
    ending = await run("return job.OK, { select(2, core.test.echo(1, { f = print })) }")
    assert ending.result == ["core.test.echo: argument 2: it holds a function", 801]
    assert host.calls == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (object(), "cannot become a Lua value: Encoding objects of type object is unsupported"),
        ("x" * 18 * 2**20, "larger than 17 MB"),
        (2**80, "cannot become a Lua value: can't serialize ints < -2**63 or > 2**64 - 1"),
    ],
)
async def test_an_answer_that_cannot_travel_is_an_error_800(
    run: Run, host: RememberingHost, answer: Any, why: str
) -> None:
    host.answer = answer
    ending = await run("return job.OK, { select(2, core.test.answer()) }")
    assert ending.result == [f"core.test.answer: the answer cannot be given to Lua: {why}", 800]


async def test_an_answer_of_ten_megabytes_arrives_whole(run: Run, host: RememberingHost) -> None:
    host.answer = bytes(range(256)) * 40 * 2**10
    ending = await run("""
      local answer = core.test.answer()
      return job.OK, { #answer, answer:byte(-1), answer:byte(1, 3) }""")
    assert ending.result == [10 * 2**20, 255, 0, 1, 2]


@pytest.mark.parametrize("taken", range(0, 48, 3))
async def test_an_answer_without_room_in_the_jobs_memory_is_an_error(
    run: Run, host: RememberingHost, taken: int
) -> None:
    host.answer = b"x" * 9 * 2**20
    ending = await run(
        f"local held = ('x'):rep({taken} * 2^20) local text, problem, code = core.test.answer() "
        "return job.OK, { text and #text or problem, code or 0 }",
        memory_bytes=32 * 2**20,
    )
    room = taken + 2 * 9 < 31
    words = "stopped: used more than 32 MB of memory: the limit" if taken > 31 else None
    assert ending.error == words
    if words is None:
        no_room = ["core.test.answer: the answer of 9.0 MB does not fit into the job's memory", 800]
        assert ending.result == ([9 * 2**20, 0] if room else no_room)


async def test_the_log_shows_any_value_and_never_raises(run: Run, host: RememberingHost) -> None:
    ending = await run("""
      local t = { 1, 2, b = { c = 'x' }, [7] = true } t.me = t
      core.log('got', 3, nil, t, print, core.NULL)
      core.log()
      local deep = {} for i = 1, 5000 do deep = { deep } end
      core.log(deep)
      local wide = {} for i = 1, 100000 do wide[i] = i end
      core.log(#wide, wide)
      core.log(setmetatable({}, { __tostring = function() error('no') end }))
      return job.OK""")
    assert ending.error is None
    assert host.lines[0] == 'got 3 nil {1, 2, [7] = true, b = {c = "x"}, me = (itself)} function: 1 NULL'
    assert host.lines[1] == ""
    assert len(host.lines) == 5
    assert all(len(line.encode()) <= 4100 for line in host.lines)


async def test_a_facade_shapes_its_module() -> None:
    facade = """
      local native, sandbox = ...
      local store = {}
      store.__index = store
      function store:get(id) return native.get(self.name, id) end
      return function(name) return setmetatable({ name = name }, store) end
    """
    ending, host = await _run_with(facade, "return job.OK, { core.data('toys'):get(5) }")
    assert ending.error is None
    assert host.calls == [("data.get", ["toys", 5])]


async def test_a_facade_sees_the_allowed_globals_and_keeps_its_own() -> None:
    facade = "leak = 1 return { seen = function() return io, leak end, format = string.format }"
    ending, _host = await _run_with(
        facade, "local io_seen, l = core.data.seen() return job.OK, { io_seen == io, l, tostring(leak) }"
    )
    assert ending.result == [True, 1, "nil"]


async def test_a_facade_keeps_the_libraries_that_the_job_changes() -> None:
    facade = "return { upper = function(text) return string.upper(table.concat({ text, '!' })) end }"
    poison = "for name in next, table do table[name] = error end string.upper = error"
    ending, _host = await _run_with(facade, f"{poison} return job.OK, core.data.upper('moon')")
    assert ending.result == "MOON!"


async def _run_with(facade: str, body: str) -> tuple[Any, RememberingHost]:
    class Echo(RememberingHost):
        async def call(self, method: str, args: list[Any]) -> list[Any]:
            self.calls.append((method, args))
            return args

    host = Echo()
    pool = make_pool(modules=[ModuleManifest("data", ("get",), (), facade)])
    await pool.start()
    try:
        return await pool.run(program(job(body)), host), host
    finally:
        await pool.stop()


@pytest.mark.parametrize(
    ("facade", "words"),
    [
        ("return = 5", "core.data:1: unexpected symbol near '='"),
        ("end)() os.exit() (function()", "core.data:1: "),
        ("local x = 1", "core.data: its facade returned nothing"),
        ("error('broken', 0)", "broken"),
    ],
)
async def test_a_facade_that_is_no_good_stops_the_start_with_its_name(facade: str, words: str) -> None:
    pool = make_pool(modules=[ModuleManifest("data", (), (), facade)])
    with pytest.raises(PluginError, match="^" + words.replace("(", r"\(")):
        await pool.start()
    assert pool.workers == 0


async def test_a_built_in_name_wins_over_a_module(run: Run) -> None:
    pool = make_pool(modules=[ModuleManifest("json", ("encode",), (), None)])
    await pool.start()
    ending = await pool.run(program(job("return job.OK, core.json.encode({ 1 })")), RememberingHost())
    await pool.stop()
    assert (ending.kind, ending.result) == (EndKind.RETURNED, "[1]")


@pytest.mark.parametrize("name", ["json", "json_safe", "sf", "trim", "split", "md5", "uuid"])
async def test_each_built_in_function_is_there_when_it_is_asked_for_first(run: Run, name: str) -> None:
    ended = await run(f"return job.OK, type(core.{name})")
    assert ended.result == ("table" if name.startswith("json") else "function")


async def test_what_a_job_puts_in_the_place_of_a_part_of_core_stays(run: Run) -> None:
    ended = await run(
        """
        local function mine() return "mine" end
        core.trim, core.log = mine, mine
        core.split("a,b")
        for _ in pairs(core) do end
        core.uuid = nil
        return job.OK, { core.trim(), core.log(), core.uuid == nil, core.md5("") }
        """
    )
    assert ended.result == ["mine", "mine", True, "d41d8cd98f00b204e9800998ecf8427e"]


async def test_modules_are_there_however_a_job_looks_for_them(run: Run) -> None:
    ended = await run(
        """
        local names = {}
        for name in pairs(core) do names[#names + 1] = name end
        return job.OK, { list = names, again = rawequal(core.log, core.log), none = core.nothere == nil }
        """
    )
    assert {"log", "json", "job", "uuid"} <= set(ended.result["list"])
    assert (ended.result["again"], ended.result["none"]) == (True, True)
