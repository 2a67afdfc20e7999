"""The documents tell the truth: what users meet is described, and every program in them runs."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import typer.main
from pydantic import SecretStr

import engine.errors
import engine.events
from engine import views
from engine.api.events import Lagged
from engine.api.failures import FailureDetail, describe
from engine.calls.core import CoreFunction
from engine.cli.commands import make_app
from engine.errors import JobNotFound, MoontideError, RunNotFound, ScheduleEnded, ScheduleNotFound
from engine.events import Event
from engine.extensions.hooks import HookSpecs
from engine.extensions.plugins import Candidate, Plugins
from engine.jobs.jobfile import SETTINGS
from engine.runs.cleanup import NAME as CLEANUP
from engine.sandbox.harden import WALLS
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings, setting_fields, variable_of
from engine.states import TRANSITIONS, Activity, EngineState, JobStatus, RunStatus, Trigger
from tests.lab import Lab, open_lab, open_pool, plugins_with

ROOT = Path(__file__).parent.parent
CORE_PAGES = sorted((ROOT / "docs/core").glob("*.md"))
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *(ROOT / "docs").glob("*.md"),
    *CORE_PAGES,
]


@dataclass(frozen=True)
class Block:
    """One fenced block of a page: its language, the words after it, and the text."""

    page: Path
    line: int
    language: str
    words: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(language: str, words: str | None = None) -> list[Block]:
    found = [block for page in PAGES for block in _blocks_of(page)]
    return [one for one in found if one.language == language and words in (None, one.words)]


def _blocks_of(page: Path) -> Iterator[Block]:
    opened: tuple[int, str, str] | None = None
    text: list[str] = []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        fence = re.fullmatch(r"```(\w*) ?(.*)", line)
        if fence and opened is None:
            opened, text = (number, fence[1], fence[2]), []
        elif fence and opened is not None:
            yield Block(page, *opened, "\n".join(text) + "\n")
            opened = None
        else:
            text.append(line)
    assert opened is None, f"{page.name}: the block at line {opened} is not closed"


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def section(name: str, heading: str) -> str:
    """Return the text below a heading, up to the next one of its level or a higher one."""
    lines = _without_blocks(page(name)).splitlines()
    start = next((n for n, line in enumerate(lines) if line.lstrip("#").strip() == heading), None)
    assert start is not None, f"{name} has no section {heading!r}"
    level = len(lines[start]) - len(lines[start].lstrip("#"))
    rest = lines[start + 1 :]
    end = next((n for n, line in enumerate(rest) if re.match(rf"#{{1,{level}}} ", line)), len(rest))
    return "\n".join(rest[:end])


def _without_blocks(text: str) -> str:
    """Blank the fenced blocks out: a # in them is no heading."""
    return re.sub(r"(?ms)^```.*?^```$", lambda match: "\n" * match[0].count("\n"), text)


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of the tables in a text, by their first cell without marks."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            for name in re.sub(r"\[|\]\(.*?\)|`", "", cells[0]).split(", "):
                found[name.strip()] = cells[1:]
    return found


def missing(wanted: Iterable[str], text: str) -> list[str]:
    return [name for name in wanted if f"`{name}`" not in text]


# Programs


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workshop(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[WorkerPool, Plugins, Path]]:
    """Workers that know the plugins of the documents, and a jobs folder with their library modules."""
    folder = tmp_path_factory.mktemp("documents")
    names = _write_modules(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        strangers = [
            Candidate(name, "1.0", "documents", EntryPoint(name, name, "moontide")) for name in names
        ]
        plugins = plugins_with(strangers)
        for name in names:
            sys.modules.pop(name)
    async with open_pool(plugins) as pool:
        yield pool, plugins, folder


def plugin_blocks() -> list[Block]:
    return [block for block in blocks("python") if block.words.startswith("plugin=")]


#: Modules of the plugins shown, which the engine does not load.
LIBRARIES = ("moontide_tags_screen.py",)


def test_every_python_block_says_what_it_is() -> None:
    words = {block.words for block in blocks("python")} - {block.words for block in plugin_blocks()}
    assert words <= {"test", *(f"module={name}" for name in LIBRARIES)}


def _write_modules(folder: Path) -> list[str]:
    names = []
    for block in plugin_blocks():
        name = block.words.removeprefix("plugin=")
        (folder / name).write_text(block.text, "utf-8")
        names.append(name.removesuffix(".py"))
    for block in blocks("lua"):
        if block.words.startswith("module="):
            path = folder / block.words.removeprefix("module=")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
    return names


@pytest_asyncio.fixture(loop_scope="module")
async def lab(workshop: tuple[WorkerPool, Plugins, Path], tmp_path: Path) -> AsyncIterator[Lab]:
    for block in blocks("jinja"):
        path = tmp_path / "templates" / block.words.removeprefix("template=")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")
    async with open_lab(*workshop, tmp_path) as lab:
        yield lab


in_module_loop = pytest.mark.asyncio(loop_scope="module")


def each(found: list[Block]) -> Callable[[Any], Any]:
    assert found
    return pytest.mark.parametrize("block", found, ids=str)


def test_every_lua_block_says_what_it_is() -> None:
    known = {"", "fragment", "invalid", "fails", "plugin"}
    assert [
        str(one) for one in blocks("lua") if one.words not in known and not one.words.startswith("module=")
    ] == []


@in_module_loop
@each([*blocks("lua", ""), *blocks("lua", "plugin")])
async def test_a_complete_job_runs(lab: Lab, block: Block) -> None:
    outcome = await lab.run("example", block.text)
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    assert outcome.result_note is None


@in_module_loop
@each(blocks("lua", "fragment"))
async def test_a_fragment_runs_inside_a_job(lab: Lab, block: Block) -> None:
    text = f"local job = core.job()\nfunction job.run(run)\n{block.text}return job.OK\nend\nreturn job\n"
    outcome = await lab.run("fragment", text)
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    expected = re.findall(r"core\.log\(problem\) -- (.+)", block.text)
    assert all(any(words in line for line in lab.log) for words in expected), lab.log


@in_module_loop
@each(blocks("lua", "invalid"))
async def test_a_job_shown_as_invalid_is_refused_in_those_words(lab: Lab, block: Block) -> None:
    words = block.text.splitlines()[0].removeprefix("-- ")
    found = await lab.declare("example", block.text)
    assert found.error is not None
    assert words in found.error


@in_module_loop
@each(blocks("lua", "fails"))
async def test_a_job_shown_as_failing_fails_in_those_words(lab: Lab, block: Block) -> None:
    shown = re.search(r"-- (ERROR|TIMEOUT): (.+)", block.text)
    assert shown is not None
    outcome = await lab.run("example", block.text)
    assert outcome.status == shown[1]
    assert shown[2] in (outcome.error or "")


@in_module_loop
async def test_the_plugins_of_the_documents_load(workshop: tuple[WorkerPool, Plugins, Path]) -> None:
    _, plugins, _ = workshop
    views_of = [view for view in plugins.views if view.origin == "documents"]
    assert len(views_of) == len(plugin_blocks()) > 0
    assert [(view.status, view.reason) for view in views_of] == [("loaded", "")] * len(views_of)


@pytest.mark.parametrize("block", [b for b in blocks("toml") if b.page.name == "operations.md"], ids=str)
def test_engine_settings_shown_are_good(block: Block, tmp_path: Path) -> None:
    (tmp_path / "moontide.toml").write_text(block.text, "utf-8")
    load_settings(tmp_path)


# Coming from other systems


def comparisons() -> list[str]:
    """Return the example at the end of each row of the tables."""
    lines = [line for line in page("docs/coming-from.md").splitlines() if line.startswith("| ")]
    cells = [line.strip("| ").split(" | ")[-1] for line in lines if not line.startswith(("| ---", "| there"))]
    assert [cell for cell in cells if not re.fullmatch("`[^`]+`", cell)] == []
    return list(dict.fromkeys(cell.strip("`") for cell in cells))


@in_module_loop
@pytest.mark.parametrize("example", comparisons())
async def test_an_example_beside_another_systems_works(lab: Lab, tmp_path: Path, example: str) -> None:
    if example.startswith("moontide "):
        name = command_in(example)
        options = {o for p in commands()[name].params for o in [*p.opts, *p.secondary_opts]}
        assert set(re.findall(r" (--[a-z]+(?:-[a-z]+)*)", example)) <= options
    elif re.match(r"(pool|limits|schedules)\.", example):
        (tmp_path / "moontide.toml").write_text(example, "utf-8")
        load_settings(tmp_path)
    elif re.match(r"\w+ = ", example):
        text = f"local job = core.job {{ {example} }} function job.run() return job.OK end return job"
        assert (await lab.declare("example", text)).error is None
    else:
        text = f"local job = core.job() function job.run(run) {example} return job.OK end return job"
        text = text.replace(" return job.OK end", " end") if example.startswith("return") else text
        outcome = await lab.run("example", text)
        assert outcome.status is RunStatus.COMPLETE, outcome.error


# Job files


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS])
def test_a_job_setting_has_a_row_a_section_and_an_example(name: str) -> None:
    assert name in rows(section("docs/job-files.md", "Settings"))
    assert section("docs/job-files.md", name).strip()
    assert re.search(rf"\b{name} = ", page("docs/job-files.md"))


def test_no_job_setting_is_described_that_does_not_exist() -> None:
    described = rows(section("docs/job-files.md", "Settings")).keys() - {"setting"}
    assert described == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("name", plugins_with().additions.settings)
def test_a_setting_of_a_first_party_plugin_has_a_section_and_an_example(name: str) -> None:
    assert section("docs/job-files.md", name).strip()
    assert re.search(rf"\b{name} = ", page("docs/job-files.md"))


@pytest.mark.parametrize("name", plugins_with().additions.policies)
def test_a_value_of_on_error_is_described(name: str) -> None:
    assert f'`"{name}"`' in section("docs/job-files.md", "on_error")


@pytest.mark.parametrize("setting", [one for one in SETTINGS if isinstance(one.default, bool | str | dict)])
def test_a_job_settings_default_is_told(setting: Any) -> None:
    told = rows(section("docs/job-files.md", "Settings"))[setting.name][1]
    wanted = {"timezone": "the engine's"}.get(setting.name, f"`{json.dumps(setting.default)}`")
    assert told == wanted


LIST_CORE = """
local job = core.job()
function job.run()
  local names = {}
  for name, value in pairs(core) do
    names[#names + 1] = "core." .. name
    if type(value) == "table" and value ~= core.NULL then
      for inner in pairs(value) do names[#names + 1] = "core." .. name .. "." .. inner end
    end
  end
  return job.OK, names
end
return job
"""


@in_module_loop
async def test_every_core_function_is_described(lab: Lab, workshop: tuple[WorkerPool, Plugins, Path]) -> None:
    outcome = await lab.run("listing", LIST_CORE)
    strangers = {name for view in workshop[1].views if view.origin == "documents" for name in view.core}
    names = [name for name in outcome.result if name.split(".")[1] not in strangers]
    text = section("docs/job-files.md", "The core table")
    pages = [page("docs/job-files.md"), *(one.read_text("utf-8") for one in CORE_PAGES)]
    headings = "\n".join(re.findall(r"(?m)^##+ .*", "\n".join(pages)))
    assert len(names) > 15
    undescribed = [name for name in names if name not in headings and f"`{name}`" not in text]
    assert [name for name in undescribed if name not in ("core.json", "core.json_safe")] == []


def test_every_method_of_a_data_source_is_described() -> None:
    methods: dict[str, CoreFunction] = plugins_with().modules["data"].functions
    text = page("docs/core/data.md")
    assert [name for name in methods if f"## source:{name}(" not in text] == []


@in_module_loop
async def test_every_global_is_described_or_plain_lua(lab: Lab) -> None:
    outcome = await lab.run("globals", LIST_CORE.replace("pairs(core)", "pairs(_G)").replace('"core."', '""'))
    text = section("docs/job-files.md", "Lua in jobs")
    strange = {"unpack", "load", "loadstring", "loadfile", "dofile", "package", "io", "collectgarbage"}
    assert strange <= set(outcome.result)
    assert [name for name in strange if f"`{name}`" not in text] == []


def test_every_code_of_a_core_error_is_described() -> None:
    codes = set(re.findall(r"\b[78]\d\d\b", engine.errors.CoreError.__doc__ or ""))
    mail = rows(section("docs/core/email.md", "msg:send()"))
    assert codes <= {*rows(section("docs/job-files.md", "The core table")), *mail}


def module_settings_keys() -> list[tuple[str, str]]:
    found = []
    for name, module in plugins_with().modules.items():
        if isinstance(module.settings, type) and issubclass(module.settings, msgspec.Struct):
            found += [(name, field.encode_name) for field in msgspec.structs.fields(module.settings)]
    return found


@pytest.mark.parametrize(("module", "key"), module_settings_keys())
def test_a_setting_of_a_core_module_is_described(module: str, key: str) -> None:
    assert key in rows(section(f"docs/core/{module}.md", "Settings"))


def test_every_method_of_a_message_is_described() -> None:
    quoted = {*re.findall(r'"(\w+)"', page("plugins/email.lua"))}
    names = quoted - {"table"} | {"attach", "body"}
    described = section("docs/core/email.md", "core.email.new()")
    assert {"to", "bcc", "from", "testMode"} <= names
    assert [name for name in names if f"msg:{name}(" not in described] == []


def test_the_table_of_returns_is_the_same_in_readme_and_guide() -> None:
    short = rows(page("README.md"))
    full = rows(section("docs/job-files.md", "What run returns"))
    for code in ("job.OK", "job.SLEEP", "job.STOP", "job.EXIT", "job.RETRY"):
        assert short[code] == full[code][:2]


# Operations


@pytest.mark.parametrize(("key", "field"), list(setting_fields()), ids=lambda value: str(value)[:30])
def test_an_engine_setting_is_described_with_its_default(key: str, field: Any) -> None:
    told = rows(section("docs/operations.md", "Settings of the engine")).get(key)
    assert told is not None, f"{key} is not described"
    default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    assert told[0] == ("not set" if default is None else f"`{json.dumps(default)}`")


def test_no_engine_setting_is_described_that_does_not_exist() -> None:
    described = rows(section("docs/operations.md", "Settings of the engine")).keys() - {"key"}
    assert described == {key for key, _ in setting_fields()}


def test_the_variables_named_are_variables_of_settings() -> None:
    known = {variable_of(key) for key, _ in setting_fields()} | {"MOONTIDE_HOME"}
    named = {name for one in PAGES for name in re.findall(r"\bMOONTIDE_[A-Z_]*[A-Z]", one.read_text("utf-8"))}
    named = {name for name in named if not name.startswith("MOONTIDE_SECRET")}
    assert named - known == set()


def commands() -> dict[str, Any]:
    """Return every command by its words, such as "schedule add"."""
    group: Any = typer.main.get_command(make_app())
    found = {}
    for name, one in group.commands.items():
        inner = getattr(one, "commands", None)
        found |= {f"{name} {word}": below for word, below in inner.items()} if inner else {name: one}
    return found


def command_in(line: str) -> str:
    """Return the command that a line of an example carries out."""
    known, words = commands(), line.split()
    found = [name for one, two in pairwise([*words, ""]) for name in (f"{one} {two}", one) if name in known]
    return found[0]


@pytest.mark.parametrize("name", list(commands()))
def test_a_command_is_described_with_its_options_and_an_example(name: str) -> None:
    text = section("docs/operations.md", name)
    options = [option for parameter in commands()[name].params for option in parameter.opts]
    words = [option for option in options if option.startswith("--") and option != "--json"]
    assert [option for option in words if option not in text] == []
    examples = [one.text for one in blocks("sh") if one.page.name == "operations.md"]
    assert any(re.search(rf"moontide (--home \S+ )?{name}\b", text) for text in examples)


def test_the_commands_that_give_json_are_described() -> None:
    text = section("docs/operations.md", "JSON")
    listing = [name for name, one in commands().items() if any("--json" in p.opts for p in one.params)]
    assert [name for name in listing if not re.search(rf"`moontide {name}[^`]* --json`", text)] == []


def test_the_examples_of_commands_use_options_that_exist() -> None:
    known = commands()
    common = {"--home", "--version", "--help"}
    for block in blocks("sh"):
        for line in re.findall(r"(?m)^(?:\.venv/bin/)?moontide (.*)$", block.text):
            name = command_in(line)
            options = {o for p in known[name].params for o in [*p.opts, *p.secondary_opts]}
            assert set(re.findall(r"--[a-z]+(?:-[a-z]+)*", line)) <= options | common, f"{block}: {line}"


@pytest.mark.parametrize("code", ["0", "1", "2", "3"])
def test_an_exit_code_is_described(code: str) -> None:
    assert code in rows(section("docs/operations.md", "Exit codes"))


@pytest.mark.parametrize(
    ("heading", "states"),
    [
        ("Job statuses", JobStatus),
        ("Run statuses", RunStatus),
        ("Run statuses", Trigger),
        ("The state of the engine", EngineState),
    ],
)
def test_every_status_is_described(heading: str, states: Any) -> None:
    described = rows(section("docs/operations.md", heading))
    assert [state.value for state in states if state.value not in described] == []


def test_every_activity_is_described() -> None:
    assert missing((state.value for state in Activity), section("docs/operations.md", "Job statuses")) == []


@pytest.mark.parametrize(
    "view",
    [
        views.AlertView,
        views.JobView,
        views.RunView,
        views.StateView,
        views.LogLineView,
        views.EngineView,
        views.PluginView,
        views.ProblemView,
        views.ReloadView,
        views.ReloadPlanView,
        views.EngineSettingView,
        views.ModuleView,
        views.PlannedChangeView,
        views.DraftView,
        views.EntryView,
        views.SettingView,
        views.ScheduleView,
        views.NodeView,
    ],
)
def test_every_field_of_the_json_is_described(view: Any) -> None:
    text = section("docs/operations.md", "JSON")
    assert missing((field.name for field in dataclasses.fields(view)), text) == []


def test_every_wall_is_described() -> None:
    assert set(WALLS) <= rows(section("docs/operations.md", "The sandbox and its walls")).keys()


def error_kinds() -> list[MoontideError]:
    kinds = [kind for kind in vars(engine.errors).values() if isinstance(kind, type)]
    in_use = (engine.errors.HomeInUse, engine.errors.DatabaseInUse)
    special = (JobNotFound, RunNotFound, ScheduleNotFound, ScheduleEnded, *in_use)
    plain = [kind for kind in kinds if issubclass(kind, MoontideError) and kind not in special]
    return [JobNotFound("a"), RunNotFound(1), ScheduleNotFound(1), *(kind("words") for kind in plain)]


def test_every_code_of_the_api_is_described_with_its_status() -> None:
    described = rows(section("docs/operations.md", "The HTTP API"))
    for error in error_kinds():
        status, failure = describe(error)
        assert described[failure.error.code][0] == str(status)
    named = re.search(r"code: .*?message:", FailureDetail.__doc__ or "", re.DOTALL)
    assert named is not None
    codes = re.findall(r"[a-z]+_[a-z_]+|refused|unauthorized|failed", named[0])
    assert [code for code in codes if code not in described] == []


def named_tests(text: str) -> list[str]:
    return re.findall(r"`(tests/[\w/.]+::\w+)`", text)


def test_each_fault_of_the_guarantees_names_tests_that_exist() -> None:
    faults = rows(section("docs/guarantees.md", "Fault by fault"))
    del faults["fault"]
    assert [fault for fault, cells in faults.items() if not named_tests(cells[-1])] == []
    for named in named_tests(page("docs/guarantees.md")):
        path, _, function = named.partition("::")
        assert re.search(rf"(?m)^(async )?def {function}\(", page(path)), named


# Events, hooks, states, samples


def event_kinds() -> list[type[Event]]:
    found = [kind for kind in vars(engine.events).values() if isinstance(kind, type)]
    return [kind for kind in found if issubclass(kind, Event) and kind is not Event]


@pytest.mark.parametrize("kind", event_kinds(), ids=lambda kind: kind.__name__)
def test_an_event_is_described_with_its_fields(kind: type[Event]) -> None:
    told = rows(page("docs/events.md")).get(kind.__name__)
    assert told is not None, f"{kind.__name__} is not described"
    names = [field.name for field in dataclasses.fields(kind) if field.name != "at"]
    assert missing(names, told[1]) == []


def test_no_event_is_described_that_does_not_exist() -> None:
    assert rows(page("docs/events.md")).keys() - {"event"} == {kind.__name__ for kind in event_kinds()}


def test_the_event_of_slow_readers_is_described() -> None:
    names = [field.name for field in dataclasses.fields(Lagged) if field.name != "at"]
    assert missing([Lagged.__name__, *names], page("docs/events.md")) == []


def test_every_hook_is_described() -> None:
    hooks = [name for name in vars(HookSpecs) if name.startswith("moontide_")]
    assert hooks
    assert [hook for hook in hooks if f"def {hook}(" not in page("docs/plugins.md")] == []
    assert [hook for hook in hooks if not section("docs/plugins.md", hook).strip()] == []
    assert {f"{hook}()" for hook in hooks} <= rows(section("docs/plugins.md", "Hooks")).keys()


def test_the_diagram_of_run_states_is_the_table_of_the_engine() -> None:
    listed = page("docs/lifecycle.md").partition("## Run states\n")[2].partition("## Job states\n")[0]
    written = {
        state: set(others.split(", ")) for state, others in re.findall(r"(?m)^([A-Z]+) +-> (.+)$", listed)
    }
    drawn: dict[str, set[str]] = {}
    for state, other in re.findall(r"(?m)^ +([A-Z]+) --> ([A-Z]+): .", listed):
        drawn.setdefault(state, set()).add(other)
    table = {
        state.value: {other.value for other in others} for state, others in TRANSITIONS.items() if others
    }
    assert (drawn, written) == (table, table)


def test_every_sample_job_stands_in_the_readme() -> None:
    jobs = [path.relative_to(ROOT / "jobs").with_suffix("") for path in (ROOT / "jobs").rglob("*.lua")]
    samples = {str(job) for job in jobs if job.parts[0] != "lib"}
    table, _, _ = page("README.md").partition("| job | shows |")[2].partition("\n\n")
    assert rows(table).keys() == samples


# Links and language


def anchors(text: str) -> set[str]:
    found = set()
    for heading in re.findall(r"(?m)^#+ (.*)$", _without_blocks(text)):
        plain = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(plain)
    return found


@pytest.mark.parametrize("source", PAGES, ids=lambda path: path.name)
def test_every_link_between_pages_leads_somewhere(source: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", _without_blocks(source.read_text("utf-8"))):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        other = (source.parent / name).resolve() if name else source
        assert other.exists(), f"{source.name}: {target}"
        assert not anchor or anchor in anchors(other.read_text("utf-8")), f"{source.name}: {target}"


@pytest.mark.parametrize("source", PAGES, ids=lambda path: path.name)
def test_files_named_in_a_page_exist(source: Path) -> None:
    named = re.findall(r"`((?:engine|plugins|tests|bench|moontide)/[\w/.]*)`", source.read_text("utf-8"))
    assert [name for name in named if name != CLEANUP and not (ROOT / name).exists()] == []
