"""What the editor completes, and what it tells of the name under the cursor."""

from __future__ import annotations

import pytest

from engine.extensions.plugins import find_plugins, load_plugins
from engine.jobs.jobfile import SETTINGS
from engine.luaclasses import lua_classes
from engine.views import SettingView
from tui.lua.place import Place, place_at
from tui.lua.vocabulary import Described, Suggestion, Vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    own = [candidate for candidate in find_plugins() if candidate.built_in]
    classes = lua_classes(load_plugins(candidates=own).modules)
    settings = [SettingView(one.name, one.default, one.help, one.example) for one in SETTINGS]
    return Vocabulary(classes, settings, lambda: ["report", "admin/cleanup"])


def place_in(text: str) -> tuple[Place, str]:
    """Return the place of the | in a text, and what stands before it."""
    before = text.partition("|")[0]
    lines = text.replace("|", "").split("\n")
    row = before.count("\n")
    return place_at(lines, row, len(before.split("\n")[-1])), before


def offered(vocabulary: Vocabulary, text: str) -> list[Suggestion]:
    return vocabulary.suggestions(*place_in(text))


def names(vocabulary: Vocabulary, text: str) -> list[str]:
    return [one.name for one in offered(vocabulary, text)]


def described(vocabulary: Vocabulary, text: str) -> Described | None:
    return vocabulary.describe(*place_in(text))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("core.|", ["ASC", "data", "DESC"]),
        ("core.lo|", ["log"]),
        ("local x = (1 + core.uu|", ["uuid"]),
        ("core.log.w|", ["warn"]),
        ("job.sa|", ["save_info", "save_state"]),
        ("return job.|", ["day", "dayMonth"]),
        ("  if run.at|", ["attempt"]),
        ("core.json.|", ["decode", "encode"]),
        ("core.LOG|", ["log"]),
        ("core.fi|", ["files"]),
    ],
)
def test_members_are_completed(vocabulary: Vocabulary, text: str, first: list[str]) -> None:
    assert names(vocabulary, text)[: len(first)] == first


def test_what_begins_as_typed_comes_before_what_holds_it(vocabulary: Vocabulary) -> None:
    found = names(vocabulary, "core.files.e|")
    assert found[0] == "exists"
    assert {"read", "remove", "write"} <= set(found[1:])


def test_what_is_not_for_jobs_comes_last(vocabulary: Vocabulary) -> None:
    found = names(vocabulary, "core.|")
    assert found.index("uuid") < found.index("api")


@pytest.mark.parametrize(
    "text",
    [
        "local job = core.job {\n  |",
        "local job = core.job { every = '2m', |",
        "local job = core.job({ tags = { team = 'shop' }, |",
        "local job = core.job {\n  every = '2m', -- often {\n  tags = { 'a}' },\n  |\n}",
    ],
)
def test_settings_are_completed_inside_of_the_table(vocabulary: Vocabulary, text: str) -> None:
    assert names(vocabulary, text) == [one.name for one in SETTINGS]
    assert offered(vocabulary, text)[0].insert == f"{SETTINGS[0].name} = "


def test_a_setting_tells_an_example(vocabulary: Vocabulary) -> None:
    found = offered(vocabulary, "core.job { ever|")
    assert (found[0].name, found[0].insert) == ("every", "every = ")
    assert found[0].about.startswith("every: number|string, such as ")
    assert found[0].doc.startswith("Runs the job again and again")


def test_the_value_of_a_setting_is_no_place_for_settings(vocabulary: Vocabulary) -> None:
    assert "retries" not in names(vocabulary, "core.job { every = re|")


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ('core.pg.select("shop", { |', {"tbl", "where", "limit"}),
        ('core.pg.select("shop", { tbl = "toys", or|', {"orderby"}),
        ('core.pg.updateMany("shop", { tbl = "t", update = { { |', {"values", "where"}),
        ('core.pg.selectBatch("shop", { { tbl = "a" }, { |', {"tbl", "key"}),
    ],
)
def test_options_of_core_functions_are_completed(vocabulary: Vocabulary, text: str, some: set[str]) -> None:
    assert some <= set(names(vocabulary, text))


@pytest.mark.parametrize(
    "text",
    [
        "core.jobs.now('|",
        'core.jobs.now("|")',
        'core.jobs.after("10m", "|',
        'local id = core.jobs.at(run.data.when, "|", { a = 1 })',
    ],
)
def test_names_of_jobs_are_completed_where_one_is_wanted(vocabulary: Vocabulary, text: str) -> None:
    assert names(vocabulary, text) == ["admin/cleanup", "report"]


@pytest.mark.parametrize(
    "text",
    [
        'core.jobs.after("|',
        'core.log("|',
        '"|',
        "-- core.|",
        "--[[ core.\ncore.|",
        'core.log("core.|',
        "[[core.|",
    ],
)
def test_nothing_is_completed_in_other_strings_and_in_comments(vocabulary: Vocabulary, text: str) -> None:
    assert names(vocabulary, text) == []


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ('local toys = core.data("toys")\ntoys:|', {"get", "save", "getPage"}),
        ('core.data("toys"):|', {"get", "save"}),
        ("local mail = core.email.new()\nmail:to('a@b.c'):sub|", {"subject"}),
        ("local c = core\nc.fi|", {"files"}),
        ("local this = core.job { every = 1 }\nthis.sa|", {"save_info"}),
    ],
)
def test_values_are_known_by_what_they_were_set_to(vocabulary: Vocabulary, text: str, some: set[str]) -> None:
    assert some <= set(names(vocabulary, text))


def test_what_is_not_known_is_not_guessed(vocabulary: Vocabulary) -> None:
    assert names(vocabulary, "local x = y.z()\nx.|") == []
    assert names(vocabulary, "nothing.core.|") == []


def test_a_name_by_itself_is_completed_from_the_file_and_from_lua(vocabulary: Vocabulary) -> None:
    found = names(vocabulary, "local customers = 3\nlocal function customise() end\nif cu|")
    assert found[:2] == ["customers", "customise"]
    assert names(vocabulary, "fun|")[0] == "function"
    assert names(vocabulary, "co|")[0] == "core"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("core.uuid|()", "core.uuid() → string"),
        (
            'core.files.copy("a", |',
            "core.files.copy(source, destination, overwrite?) → boolean|nil, string?, integer?",
        ),
        ('core.log("a", |', "core.log(...)"),
        ("core.log(core.uuid(), |", "core.log(...)"),
        ("core.job { every| = 3 }", "every: number|string"),
        ("core.job { every = 3, |", "core.job(settings?) → moontide.Job"),
        ("local t = core.data('a')\nt:get|", "core.data:get(wanted) → table?, string?, integer?"),
    ],
)
def test_what_is_under_the_cursor_is_explained(vocabulary: Vocabulary, text: str, title: str) -> None:
    found = described(vocabulary, text)
    assert found is not None
    if title.startswith("core.data:"):
        title = title.replace("core.data:", "t:")
    assert found.title == title
    assert found.doc


def test_each_argument_is_explained(vocabulary: Vocabulary) -> None:
    found = described(vocabulary, "core.split(|")
    assert found is not None
    assert [(one.name, one.optional) for one in found.arguments] == [("text", False), ("separator", True)]
    assert found.arguments[1].doc == "A comma without."


def test_outside_of_all_calls_nothing_is_explained(vocabulary: Vocabulary) -> None:
    assert described(vocabulary, "core.log('a')\n|") is None
    assert described(vocabulary, "core.log(function()\n  local a = |") is None


def test_a_long_file_above_does_not_matter(vocabulary: Vocabulary) -> None:
    text = "local x = ((\n" * 1000 + "core.job {\n  |"
    assert "every" in names(vocabulary, text)
