"""core.data from Lua: queries, orders, pages, limits, many jobs at once, and a killed engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.states import FINAL, RunStatus
from tests.e2e.conftest import Home, home
from tests.e2e.processes import until
from tests.engine.conftest import ACTOR, OpenBench, open_bench
from tests.lab import Lab, open_lab, open_pool, plugins_with

__all__ = ["home", "open_bench"]

in_module_loop = pytest.mark.asyncio(loop_scope="module")

SAVE_TOYS = """
local toys = core.data("toys")
for _, toy in ipairs({
  { _id = "a", name = "ball", kind = "x", stock = 0, box = { row = 1 } },
  { _id = "b", name = "kite", kind = "y", stock = 5, box = { row = 2 } },
  { _id = "c", name = "robot", kind = "x", stock = 5.5 },
  { _id = "d", name = "top", kind = "y", stock = 5, note = core.NULL },
}) do assert(toys:save(toy)) end
"""


def program(body: str) -> str:
    """Return a job that does this, with a function that gives the ids of a page."""
    ids = """
local function ids(page, problem, code)
  if not page then return problem .. " " .. code end
  local text = ""
  for _, one in ipairs(page) do text = text .. one._id end
  return text
end
"""
    return f"{ids}local job = core.job()\nfunction job.run(run)\n{body}\nend\nreturn job"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("data")
    plugins = plugins_with()
    async with open_pool(plugins) as pool, open_lab(pool, plugins, folder, folder) as lab:
        yield lab


async def answer(lab: Lab, body: str) -> Any:
    outcome = await lab.run("data", program(body))
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    return outcome.result


@in_module_loop
@pytest.mark.parametrize(
    ("call", "found"),
    [
        ('getPage(1, 10, core.ASC, { stock = { ["$gt"] = 0, ["$lt"] = 5.5 } })', "bd"),
        ('getPage(1, 10, core.DESC, { stock = { ["$gte"] = 5.0 } })', "dcb"),
        ('getPage(1, 10, nil, { name = { ["$in"] = { "kite", "ball" } } })', "ab"),
        ('getPage(1, 10, nil, { name = { ["$in"] = {} } })', ""),
        ('getPage(1, 10, nil, { name = { ["$nin"] = { "kite", "ball" } } })', "cd"),
        ('getPage(1, 10, nil, { name = { ["$ne"] = "kite" }, ["box.row"] = { ["$exists"] = true } })', "a"),
        ('getPage(1, 10, nil, { note = { ["$exists"] = true } })', "d"),
        ("getPage(1, 10, nil, { note = core.NULL })", "abcd"),
        ("getPage(1, 10, { stock = core.DESC })", "cbda"),
        ('getPage(1, 10, { { "kind", core.DESC }, { "stock", core.ASC } })', "bdac"),
        ('getPage(1, 10, { { "kind", core.ASC }, { "_id", core.DESC } })', "cadb"),
        ('getPage(2, 3, { ["box.row"] = core.DESC })', "d"),
        ("getPage(1, 2, {})", "ab"),
        ('getPage({ kind = "y" }, 1, 10, core.DESC)', "db"),
        ("getPage(5)", ""),
        ("getPage(1, 10, { a = 1, b = 1 })", "to sort by several fields write a list"),
        ("getPage(1, 10, { a = 2 })", "the direction of sort is core.ASC or core.DESC 801"),
        ("getPage(1, 10, 0)", "the direction of sort is core.ASC or core.DESC 801"),
        ('getPage(1, 10, "name")', "core.data.getPage: sort must be"),
        ('getPage(1, 10, nil, { name = { ["$like"] = "k" } })', "operator $like is not known"),
        ("getPage(0)", "counts pages from 1"),
    ],
)
async def test_pages_are_chosen_and_sorted_from_lua(lab: Lab, call: str, found: str) -> None:
    got = await answer(lab, f'{SAVE_TOYS} return job.OK, ids(core.data("toys"):{call})')
    assert got == found or (" " in found and found in got)


@in_module_loop
async def test_get_takes_a_query_with_operators(lab: Lab) -> None:
    body = f'{SAVE_TOYS} return job.OK, core.data("toys"):get({{ stock = {{ ["$gt"] = 5 }} }}).name'
    assert await answer(lab, body) == "robot"


@in_module_loop
@pytest.mark.parametrize("value", ['("x"):rep(2^24 - 10)', '("\\1"):rep(3 * 2^20)', '("x"):rep(17 * 2^20)'])
async def test_an_object_above_16_mb_is_refused_with_a_message(lab: Lab, value: str) -> None:
    body = f"""
    local id, problem, code = core.data("large"):save({{ text = {value} }})
    return job.OK, {{ id == nil, problem, code }}
    """
    refused, problem, code = await answer(lab, body)
    assert (refused, code) == (True, 801)
    assert "up to 16 MB" in problem or "larger than 17 MB" in problem


@in_module_loop
@pytest.mark.parametrize(
    "value",
    ['("x"):rep(2^24 - 12)', '("\\1"):rep(2^20)', '("€"):rep(2^22)', "list(0.5, 99000)", "map(40000)"],
)
async def test_the_largest_objects_come_back_as_they_were(lab: Lab, value: str) -> None:
    body = f"""
    local function list(item, count) local t = {{}} for n = 1, count do t[n] = item end return t end
    local function map(count) local t = {{}} for n = 1, count do t["key " .. n * 1000] = n end return t end
    local source, given = core.data("largest"), {value}
    local id = assert(source:save({{ value = given }}))
    local back = assert(source:get(id)).value
    if type(given) == "string" then given, back = {{ given }}, {{ back }} end
    for key, item in pairs(given) do assert(back[key] == item) end
    given, back = nil, nil
    assert(#source:getPage(1, 1, core.ASC, {{ _id = id }}) == 1)
    return job.OK, source:delete(id)
    """
    assert await answer(lab, body) is True


@in_module_loop
@pytest.mark.parametrize("page", ["1, 20", "1, 20, { n = 1 }", '1, 20, 1, { n = { ["$gt"] = 0 } }'])
async def test_a_page_above_16_mb_says_to_ask_for_fewer(lab: Lab, page: str) -> None:
    body = f"""
    local source = core.data("wide" .. core.uuid())
    for n = 1, 3 do assert(source:save({{ n = n, text = ("x"):rep(6000000) }})) end
    local page, problem, code = source:getPage({page})
    return job.OK, {{ page == nil, problem, code, #source:getPage(1, 2) }}
    """
    refused, problem, code, fewer = await answer(lab, body)
    assert (refused, code, fewer) == (True, 800, 2)
    assert "ask for fewer" in problem


@in_module_loop
async def test_text_that_is_not_utf_8_is_refused(lab: Lab) -> None:
    body = 'return job.OK, { select(2, core.data("x"):save({ inner = { "\\xff" } })) }'
    assert await answer(lab, body) == ["core.data: the object holds text that is not UTF-8", 801]


SAVER = program("""
local own, shared = core.data("own"), core.data("shared")
for n = 1, 40 do
  core.log(assert(own:save({ run = run.id, n = n })))
  assert(shared:save({ _id = "last", run = run.id, n = n }))
end
return job.OK
""")


async def test_saves_of_many_runs_at_once_lose_nothing(open_bench: OpenBench) -> None:
    names = [f"saver{number}" for number in range(10)]
    count = program("""
    local seen, page, number = {}, nil, 1
    repeat
      page = core.data("own"):getPage(number, 300)
      for _, one in ipairs(page) do seen[one.run .. "/" .. one.n] = true end
      number = number + 1
    until #page == 0
    local total = 0
    for _ in pairs(seen) do total = total + 1 end
    return job.OK, { total, core.data("shared"):get("last").n }
    """)
    async with open_bench({**dict.fromkeys(names, SAVER), "count": count}) as bench:
        runs = await asyncio.gather(*(bench.desk.run_job(name, actor=ACTOR) for name in names * 2))
        ended = [await bench.finished(run.id) for run in runs]
        assert {run.status for run in ended} == {"COMPLETE"}
        assert (await bench.run("count")).result == [len(runs) * 40, 40]


def test_what_was_saved_is_there_after_the_engine_was_killed(home: Home) -> None:
    for number in range(3):
        home.write(f"saver{number}", SAVER.replace("1, 40", "1, 100000"))
    check = program("""
    local lost = {}
    for _, id in ipairs(run.data) do
      if not core.data("own"):get(id) then lost[#lost + 1] = id end
    end
    return job.OK, { #run.data, lost }
    """)
    home.write("check", check)
    with home.serving() as engine:
        runs = [engine.client.run_job(f"saver{number}").id for number in range(3)]
        until(lambda: all(len(engine.client.log(run)) > 30 for run in runs), 20)
        engine.kill()
    with home.serving() as engine:
        assert all(RunStatus(engine.client.run(run).status) in FINAL for run in runs)
        # A line of the log came after its save was acknowledged.
        saved = [text for run in runs for text in engine.log(run)]
        result = engine.run("check", saved).result
    assert result[0] == len(saved) > 90
    assert result[1] in ([], {})
