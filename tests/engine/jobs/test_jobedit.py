"""Changing settings inside a job file; Lua itself says what the changed file means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lupa import lua55

from engine.errors import JobFileError
from engine.jobs.jobedit import change_settings, lua_literal, read_table

FILE = """-- A report. core.job { every = "1s" } in a comment is none.
local text = "core.job { every = '1s' }"
local job = core.job {
  every = "2m", -- not too often
  description = 'Say "hello"',
  tags = { team = "shop", "night" },
  retries = 3,
}

function job.run()
  return job.OK
end

return job
"""


def plain(value: Any) -> Any:
    if lua55.lua_type(value) != "table":
        return value
    found = {key: plain(one) for key, one in value.items()}
    return list(found.values()) if set(found) == set(range(1, len(found) + 1)) else found


def meaning(text: str) -> Any:
    """Return what a file gives to core.job, as Lua reads it."""
    lua = lua55.LuaRuntime(unpack_returned_tuples=True)
    lua.execute("given = {}; core = { job = function(t) given = t or {}; return {} end }; MINUTE = 60")
    lua.execute(text)
    return plain(lua.globals().given)


class TestReading:
    def test_each_setting_is_found_with_its_value(self) -> None:
        table = read_table(FILE)
        assert {entry.name: entry.value for entry in table.entries} == {
            "every": "2m",
            "description": 'Say "hello"',
            "tags": {"night": "", "team": "shop"},
            "retries": 3,
        }
        entry = table.entry("tags")
        assert entry is not None
        assert entry.text == '{ team = "shop", "night" }'
        assert FILE[table.start] == "{"
        assert FILE[table.end - 1 :].startswith("}\n\nfunction")

    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ('"a\\n\\065\\x42\\u{20AC}\\z  \n  b"', "a\nAB€b"),
            ("[==[\nx]]y]==]", "x]]y"),
            ("0x10", 16),
            ("-.5e1", -5.0),
            ("{ 1, 2; 3 }", [1, 2, 3]),
            ("{ ['a b'] = { c = true } }", {"a b": {"c": True}}),
            ("{}", []),
        ],
    )
    def test_literals_mean_what_they_mean_in_lua(self, written: str, value: object) -> None:
        text = f"core.job {{ x = {written} }}"
        entry = read_table(text).entry("x")
        assert entry is not None
        assert not entry.computed
        assert entry.value == value
        assert meaning(text) == ({"x": value} if value != [] else {"x": []})

    @pytest.mark.parametrize(
        "written", ["5 * MINUTE", 'os.getenv("X") or "2m"', "{ f(1, 2) }", "a.b[1]", '"a".."b"']
    )
    def test_what_is_computed_is_kept_as_it_is(self, written: str) -> None:
        table = read_table(f"core.job {{ every = {written}, retries = 1 }}")
        entry = table.entry("every")
        assert entry is not None
        assert (entry.computed, entry.text, entry.value) == (True, written, None)
        assert table.entry("retries") is not None

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("return {}", "has no core.job"),
            ("core.job(settings)", "line 1: what core.job is given is not written out"),
            ("core.job(merge({}, x))", "not written out"),
            ("core.job({ every = 1 } or x)", "is computed"),
            ("core.job {\n every = 1,\n 'x' }", "line 3: a value stands without a name"),
            ("core.job { run = function() return 1, 2 end }", "a function stands among the settings"),
            ("core.job { every = 1", "no closing brace"),
            ("core.job { every = 1, every = 2 }", "every is set twice"),
            ("core.job { every = }", "a name stands without a value"),
            ("core.job { every = (1] }", "] closes nothing"),
            ('core.job { every = "1 }', "cannot be read as Lua"),
            ("core.job { --[[ every = 1 }", "has no ]]"),
        ],
    )
    def test_what_cannot_be_changed_piece_by_piece_says_why(self, text: str, words: str) -> None:
        with pytest.raises(JobFileError) as caught:
            read_table(text)
        assert words in str(caught.value)

    @given(st.text(alphabet="core.job{}()[]=,;\"'-\\ \nabx1", max_size=60))
    def test_any_text_is_a_table_or_an_error(self, text: str) -> None:
        try:
            table = read_table("core.job " + text)
        except JobFileError:
            return
        assert 0 <= table.start < table.end


class TestChanging:
    def test_only_the_value_is_written_anew(self) -> None:
        changed = change_settings(FILE, {"every": "5m", "retries": 0})
        assert changed == FILE.replace('"2m"', '"5m"').replace("retries = 3", "retries = 0")

    def test_a_new_setting_goes_behind_the_last_on_a_line_of_its_own(self) -> None:
        changed = change_settings(FILE, {"timeout": "30s"})
        assert changed == FILE.replace("  retries = 3,\n", '  retries = 3,\n  timeout = "30s",\n')

    def test_a_setting_that_goes_takes_its_line_and_its_remark_along(self) -> None:
        assert change_settings(FILE, {"every": None}) == FILE.replace(
            '  every = "2m", -- not too often\n', ""
        )

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("core.job()", "core.job { every = 1 }"),
            ("core.job ()", "core.job { every = 1 }"),
            ("core.job {}", "core.job { every = 1 }"),
            ("core.job({ })", "core.job({ every = 1 })"),
            ("core.job { a = 1 }", "core.job { a = 1, every = 1 }"),
            ("core.job { a = 1, }", "core.job { a = 1, every = 1 }"),
            ("core.job {\n  -- none yet\n}", "core.job {\n  -- none yet\n  every = 1,\n}"),
            ("core.job {\n}", "core.job {\n  every = 1,\n}"),
            ("core.job {\n\ta = 1 -- one\n}", "core.job {\n\ta = 1, -- one\n\tevery = 1,\n}"),
            ("core.job {\r\n  a = 1,\r\n}", "core.job {\r\n  a = 1,\r\n  every = 1,\r\n}"),
            ("core.job {\n  a = 1,\n  b = 2 }", "core.job {\n  a = 1,\n  b = 2, every = 1 }"),
        ],
    )
    def test_a_new_setting_is_written_in_the_manner_of_the_file(self, before: str, after: str) -> None:
        changed = change_settings(before, {"every": 1})
        assert changed == after
        assert meaning(changed) == {**(meaning(before) or {}), "every": 1}

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("core.job { every = 1 }", "core.job { }"),
            ("core.job { a = 1, every = 1 }", "core.job { a = 1 }"),
            ("core.job { every = 1, a = 1 }", "core.job { a = 1 }"),
            ("core.job {\n  every = {\n    1,\n  },\n  a = 1,\n}", "core.job {\n  a = 1,\n}"),
            ("core.job { a = 1, -- one\n  every = 1 }", "core.job { a = 1, -- one\n }"),
            (
                "core.job {\n  every = 1, --[[ long\n  one ]] a = 1 }",
                "core.job {\n --[[ long\n  one ]] a = 1 }",
            ),
            ("core.job { a = 1 }", "core.job { a = 1 }"),
        ],
    )
    def test_a_setting_can_be_taken_out(self, before: str, after: str) -> None:
        assert change_settings(before, {"every": None}) == after

    def test_a_computed_value_can_be_replaced(self) -> None:
        assert (
            change_settings("core.job { every = 5 * MINUTE }", {"every": "5m"}) == 'core.job { every = "5m" }'
        )

    def test_what_lua_cannot_hold_is_refused(self) -> None:
        with pytest.raises(JobFileError, match="cannot stand among the settings"):
            change_settings(FILE, {"every": float("nan")})


names = st.sampled_from(["every", "cron", "tags", "end", "zwei Worte", "retries", "alpha", "description"])
words = st.text("""ab01"'\\\n\r\t\0\x7f é€😀[]=-{},;""", max_size=12)
scalars = st.one_of(
    st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), words
)
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.dictionaries(st.text("ab_ é", min_size=1, max_size=4), scalars, max_size=3),
)
blanks = st.sampled_from(["", " ", "\n", "\n  ", " -- a remark, with = and }\n  ", " --[==[ long\n ]] ]==] "])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Return a job file written in any manner, and its settings."""
    settings = draw(st.dictionaries(names, values, max_size=5))
    written = []
    for name, value in settings.items():
        key = name if name.isidentifier() and name != "end" else f"['{name}']"
        written.append(f"{key}{draw(blanks)}={draw(blanks)}{lua_literal(value)}")
    inner = draw(blanks)
    for place, one in enumerate(written):
        last = place == len(written) - 1
        comma = draw(st.sampled_from(["", ",", ";"])) if last else draw(st.sampled_from([",", ";"]))
        inner += one + draw(blanks) + comma + draw(blanks)
    opening, closing = draw(st.sampled_from([("{", "}"), ("({", "})"), ("( {", "} )"), (" {", "}")]))
    before, after = "local a = { b = 1 } -- core.job {}\nlocal job = core.job", "\n--[[ } ]] return job\n"
    return f"{before}{opening}{inner}{closing}{after}", settings


@given(files(), st.dictionaries(names, st.one_of(st.none(), values), max_size=4))
def test_the_changed_file_means_what_was_asked_for_and_all_else_stays(
    written: tuple[str, dict[str, Any]], changes: dict[str, Any]
) -> None:
    text, settings = written
    assert meaning(text) == (plain_form(settings) or []), "the test writes what it means to"
    changed = change_settings(text, changes)
    wanted = {name: value for name, value in {**settings, **changes}.items() if value is not None}
    assert meaning(changed) == (plain_form(wanted) or [])
    before, after = read_table(text), read_table(changed)
    assert changed[: after.start] == text[: before.start]
    assert changed[after.end :] == text[before.end :]
    for entry in before.entries:
        if entry.name not in changes:
            same = after.entry(entry.name)
            assert same is not None
            assert same.text == entry.text


@given(files(), names, values)
def test_a_setting_that_is_set_back_leaves_the_file_as_it_was(
    written: tuple[str, dict[str, Any]], name: str, value: Any
) -> None:
    text, settings = written
    assume(name in settings)
    there_and_back = change_settings(change_settings(text, {name: value}), {name: settings[name]})
    assert there_and_back == text


def plain_form(value: Any) -> Any:
    """Return a value as Lua gives it back: an empty table is a list, and keys are in no order."""
    if isinstance(value, dict):
        return {name: plain_form(one) for name, one in value.items()} or []
    return [plain_form(one) for one in value] if isinstance(value, list) else value
