"""Definition files for editors: good Lua, good annotations, true, and written only when something changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import lupa.lua55
import pytest

from engine.calls.core import CoreModule
from engine.calls.signatures import facade_remarks
from engine.extensions.plugins import Plugins
from engine.jobs.jobfile import SETTINGS
from engine.service import Engine
from engine.settings import Settings
from engine.stubs import CONFIG, FOLDER, HEADER, definitions, write_stubs
from engine.watch import changed_jobs
from tests.engine.conftest import Bench, OpenBench, until
from tests.engine.extensions.test_plugins import load
from tests.lab import open_lab, open_pool, plugins_with

# The grammar of LuaLS annotations, as far as definition files use it.

NAME = r"[A-Za-z_][\w.]*"
PATTERNS = {
    "meta": r"",
    "class": rf"(?:\(exact\) )?{NAME}(?: *: *{NAME})?",
    "alias": rf"{NAME}(?: .+)?",
    "overload": r"fun\(.*\).*",
}


class Types:
    """Reads one type expression of LuaLS."""

    TOKEN = re.compile(r'\s*("(?:\\.|[^"\\])*"|-?\d+|\.\.\.|[A-Za-z_][\w.]*|\[\]|[|?(){}<>,:])')

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def peek(self) -> str:
        found = self.TOKEN.match(self.text, self.at)
        return found[1] if found else ""

    def take(self, wanted: str = "") -> str:
        found = self.TOKEN.match(self.text, self.at)
        assert found, f"a type ends too soon: {self.text!r}"
        assert wanted in ("", found[1]), f"{wanted!r} is wanted in {self.text!r}"
        self.at = found.end()
        return found[1]

    def union(self) -> None:
        self.suffixed()
        while self.peek() == "|":
            self.take()
            self.suffixed()

    def suffixed(self) -> None:
        self.plain()
        while self.peek() in ("[]", "?"):
            self.take()

    def plain(self) -> None:
        token = self.take()
        if token == "(":
            self.union()
            self.take(")")
        elif token == "fun" and self.peek() == "(":
            self.function()
        elif token == "{":
            self.fields()
        else:
            assert re.fullmatch(rf'{NAME}|"(?:\\.|[^"\\])*"|-?\d+', token), f"{token!r} in {self.text!r}"
            if self.peek() == "<":
                self.generic()

    def generic(self) -> None:
        self.take("<")
        self.union()
        while self.peek() == ",":
            self.take()
            self.union()
        self.take(">")

    def fields(self) -> None:
        while self.peek() != "}":
            self.take()
            if self.peek() == "?":
                self.take()
            self.take(":")
            self.union()
            if self.peek() == ",":
                self.take()
        self.take("}")

    def function(self) -> None:
        self.take("(")
        while self.peek() != ")":
            self.take()
            if self.peek() == "?":
                self.take()
            if self.peek() == ":":
                self.take()
                self.union()
            if self.peek() == ",":
                self.take()
        self.take(")")
        if self.peek() == ":":
            self.take()
            self.union()
            while self.peek() == ",":
                self.take()
                self.union()


def check_annotation(line: str) -> None:
    """Fail for a line that the language server would not understand."""
    found = re.fullmatch(r"---@(\w+) ?(.*)", line)
    assert found, line
    tag, rest = found[1], found[2]
    if tag in ("param", "field"):
        named = re.match(rf"({NAME}|\.\.\.)\?? ", rest)
        assert named, line
        Types(rest[named.end() :]).union()
    elif tag in ("return", "type"):
        Types(rest).union()
    else:
        assert tag in PATTERNS, line
        assert re.fullmatch(PATTERNS[tag], rest), line
        if tag == "overload":
            Types(rest).union()


def check_file(name: str, text: str) -> None:
    lua = lupa.lua55.LuaRuntime(register_eval=False, register_builtins=False)
    compiled = lua.globals()["load"](text, f"={name}", "t")
    assert not isinstance(compiled, tuple), compiled
    for line in text.splitlines():
        if line.startswith("---@"):
            check_annotation(line)
        elif line.startswith("---|"):
            assert re.fullmatch(r'---\| (?:"(?:\\.|[^"\\])*"|string)', line), line


def classes(files: dict[str, str]) -> set[str]:
    text = "\n".join(files.values())
    return set(re.findall(r"(?m)^---@(?:class(?: \(exact\))?|alias) ([\w.]+)", text))


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return definitions(load("slack", "listening").modules, ["report", "admin/cleanup", 'od"d'])


@pytest.mark.parametrize(
    "line",
    ["---@param text |", "---@return", "---@field x", "---@clas a", "---@param a table<string"],
)
def test_the_check_of_annotations_refuses_bad_ones(line: str) -> None:
    with pytest.raises(AssertionError):
        check_annotation(line)


def test_every_file_is_lua_with_annotations_that_can_be_read(files: dict[str, str]) -> None:
    assert {"core.lua", "job.lua", "jobs.lua", "core_slack.lua", "core_data.lua"} <= files.keys()
    for name, text in files.items():
        assert text.startswith(HEADER)
        check_file(name, text)


def test_every_class_that_is_named_is_declared(files: dict[str, str]) -> None:
    declared = classes(files)
    for name, text in files.items():
        named = set(re.findall(r"\b((?:core|moontide)\.[\w.]*\w)", "\n".join(_types(text))))
        assert named <= declared, name


def _types(text: str) -> list[str]:
    """Return the types that stand in annotations, without their descriptions."""
    found = re.findall(r"(?m)^---@(?:(?:param|field) \S+|return) (\S+)", text)
    return [str(one) for one in found]


def test_every_job_setting_is_a_field(files: dict[str, str]) -> None:
    text = files["job.lua"].partition("moontide.JobSettings\n---@field")[2]
    assert set(re.findall(r"(?m)^(?:---@field)? ?(\w+)\? ", text)) == {one.name for one in SETTINGS}
    assert "---@field run_once? boolean" in files["job.lua"]
    assert "---@field timeout? number|string" in files["job.lua"]


def test_the_jobs_are_an_alias(files: dict[str, str]) -> None:
    assert files["jobs.lua"].endswith('---| "admin/cleanup"\n---| "od\\"d"\n---| "report"\n')


def test_a_module_without_a_facade_has_its_functions(files: dict[str, str]) -> None:
    assert "---@param text string\n---@return integer|nil\n" in files["core_slack.lua"]
    assert "function module.post(text) end" in files["core_slack.lua"]
    assert "---@field slack core.slack Posts messages." in files["core.lua"]


LOOK = """
local job = core.job()
function job.run()
  local names = { core = {}, job = {} }
  for name in pairs(core) do names.core[#names.core + 1] = name end
  for _, name in ipairs { NAMES } do
    if job[name] == nil then names.job[#names.job + 1] = name end
  end
  return job.OK, names
end
return job
"""


async def test_what_is_declared_by_hand_is_what_there_is(tmp_path: Path) -> None:
    plugins = plugins_with()
    text = definitions(plugins.modules, [])["job.lua"]
    fields = set(re.findall(r"(?m)^function Job\.(\w+)", text)) | {"OK", "SLEEP", "STOP", "EXIT", "RETRY"}
    by_hand = set(re.findall(r"(?m)^(?:function )?core\.(\w+)", text)) | {"NULL", "ASC", "DESC"}
    look = LOOK.replace("NAMES", ", ".join(f'"{name}"' for name in fields))
    async with open_pool(plugins) as pool, open_lab(pool, plugins, tmp_path, tmp_path) as lab:
        outcome = await lab.run("look", look)
    assert outcome.result["job"] in ([], {})
    assert set(outcome.result["core"]) == by_hand | plugins.modules.keys()


SHAPES = """
local job = core.job()
function job.run()
  local shapes = {}
  for name, value in pairs(core) do
    local names = {}
    if type(value) == "table" and value ~= core.NULL then
      for inner in pairs(value) do names[#names + 1] = inner end
      shapes[name] = { kind = "table", names = names }
    else
      shapes[name] = { kind = type(value), names = names }
    end
  end
  return job.OK, shapes
end
return job
"""


async def test_every_facade_of_our_own_says_what_it_gives(tmp_path: Path) -> None:
    plugins = plugins_with()
    async with open_pool(plugins) as pool, open_lab(pool, plugins, tmp_path, tmp_path) as lab:
        shapes = (await lab.run("shapes", SHAPES)).result

    def gives_its_functions(module: CoreModule) -> bool:
        shape = shapes[module.name]
        return shape["kind"] == "table" and set(shape["names"]) == module.functions.keys()

    silent = [module for module in plugins.modules.values() if not facade_remarks(module)]
    assert [module.name for module in silent if not gives_its_functions(module)] == []


# Files


def test_files_are_written_once_and_then_only_when_something_changed(tmp_path: Path) -> None:
    plugins = Plugins()
    assert {path.name for path in write_stubs(tmp_path, plugins.modules, ["a"])} == {
        "core.lua",
        "job.lua",
        "jobs.lua",
        CONFIG,
    }
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / FOLDER).iterdir()}
    assert write_stubs(tmp_path, plugins.modules, ["a"]) == []
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / FOLDER).iterdir()} == before
    assert write_stubs(tmp_path, plugins.modules, ["a", "b"]) == [tmp_path / FOLDER / "jobs.lua"]


def test_files_of_modules_that_are_gone_are_removed_and_others_left(tmp_path: Path) -> None:
    write_stubs(tmp_path, load("slack").modules, [])
    mine = tmp_path / FOLDER / "core_mine.lua"
    mine.write_text("---@meta\n", "utf-8")
    assert tmp_path / FOLDER / "core_slack.lua" in write_stubs(tmp_path, load().modules, [])
    assert not (tmp_path / FOLDER / "core_slack.lua").exists()
    assert mine.exists()


def test_a_configuration_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("{}", "utf-8")
    write_stubs(tmp_path, {}, [])
    assert (tmp_path / CONFIG).read_text("utf-8") == "{}"


def test_the_configuration_names_the_folder_of_definitions(tmp_path: Path) -> None:
    write_stubs(tmp_path, {}, [])
    assert json.loads((tmp_path / CONFIG).read_text("utf-8"))["workspace.library"] == [FOLDER]


# The engine

JOB = "local job = core.job()\nfunction job.run() return job.OK end\nreturn job\n"


def names_in(bench: Bench) -> str:
    path = bench.jobs_folder / FOLDER / "jobs.lua"
    return path.read_text("utf-8") if path.exists() else ""


async def test_the_engine_keeps_the_files_up_to_date(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    engine = Engine(Settings(stubs=True), home=tmp_path)
    bench = Bench(engine)
    bench.write("first", JOB)
    await engine.start()
    await until(lambda: '"first"' in names_in(bench))
    bench.write("second", JOB)
    await bench.reload()
    await until(lambda: '"second"' in names_in(bench))
    await engine.stop()
    assert [job.name for job in bench.desk.jobs() if job.path] == ["first", "second"]


async def test_the_engine_writes_nothing_where_nobody_wants_it(open_bench: OpenBench) -> None:
    async with open_bench({"a": JOB}) as bench:
        await bench.reload()
    assert not (bench.jobs_folder / FOLDER).exists()


async def test_a_folder_that_cannot_be_written_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / FOLDER).write_text("a file", "utf-8")
    engine = Engine(Settings(stubs=True), home=tmp_path)
    await engine.start()
    await until(lambda: "the files for editors were not written" in caplog.text)
    await engine.stop()


def test_a_change_of_these_files_reloads_nothing(tmp_path: Path) -> None:
    changed = [str(tmp_path / FOLDER / "jobs.lua"), str(tmp_path / CONFIG)]
    assert changed_jobs(tmp_path, changed) == set()
    assert changed_jobs(tmp_path, [*changed, str(tmp_path / "report.lua")]) == {"report"}
