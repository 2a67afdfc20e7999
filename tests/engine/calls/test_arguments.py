"""Arguments from Lua become Python values, or errors in the words of Lua."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calls.arguments import WRONG_TYPE, Argument, convert, describe_type
from engine.errors import CoreError


class Options(msgspec.Struct, forbid_unknown_fields=True):
    tbl: str
    columns: list[str] = []
    limit: int | list[int] | None = None
    where: str | dict[str, Any] | None = None


def take(value: Any, wanted: Any = Options) -> Any:
    return convert("core.mysql.select", "options", value, wanted)


def test_a_table_becomes_a_struct() -> None:
    assert take({"tbl": "toys", "limit": [5, 10]}) == Options("toys", limit=[5, 10])


def test_an_empty_lua_table_serves_as_an_empty_list() -> None:
    assert take({"tbl": "toys", "columns": {}}).columns == []


def test_whole_numbers_are_integers_however_lua_kept_them() -> None:
    assert take({"tbl": "toys", "limit": [5.0, 10]}).limit == [5, 10]
    assert take(3.0, int) == 3


def test_text_serves_as_bytes() -> None:
    assert take("abc", bytes) == b"abc"
    assert take([b"\xff", "abc"], list[bytes]) == [b"\xff", b"abc"]


@pytest.mark.parametrize(
    ("value", "message", "code"),
    [
        ({}, "core.mysql.select: options.tbl is required, got nil", 804),
        ({"tbl": 1}, "core.mysql.select: options.tbl must be a string, got a number", 801),
        ({"tbl": "a", "zz": 1}, "core.mysql.select: options.zz is not known", 801),
        (
            {"tbl": "a", "columns": ["a", 2]},
            "core.mysql.select: options.columns[2] must be a string, got a number",
            801,
        ),
        (
            {"tbl": "a", "limit": 1.5},
            "core.mysql.select: options.limit must be a whole number or a list, got a fraction",
            801,
        ),
        (
            {"tbl": "a", "where": True},
            "core.mysql.select: options.where must be a string or a table, got true",
            801,
        ),
        ("text", "core.mysql.select: options must be a table, got a string", 801),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(value: Any, message: str, code: int) -> None:
    with pytest.raises(CoreError) as caught:
        take(value)
    assert (caught.value.message, caught.value.code) == (message, code)


def test_an_error_never_shows_the_content_of_a_value() -> None:
    with pytest.raises(CoreError) as caught:
        take({"tbl": {"password": "hunter2"}})
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (str, "a string"),
        (int, "a whole number"),
        (float, "a number"),
        (bool, "true or false"),
        (dict[str, Any], "a table"),
        (list[int], "a list"),
        (Options, "a table"),
        (str | dict[str, Any], "a string or a table"),
    ],
)
def test_types_are_told_in_the_words_of_lua(wanted: Any, words: str) -> None:
    assert describe_type(wanted) == words


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN, st.sampled_from([Options, int, str, list[int], list[list[str]], dict[str, int], bytes, float]))
def test_any_value_is_either_taken_or_refused_with_a_core_error(value: Any, wanted: Any) -> None:
    with suppress(CoreError):
        take(value, wanted)


@pytest.mark.parametrize(
    ("wanted", "passed"),
    [(str, "a"), (int, 3), (str | int, "a"), (float | None, 1.5), (bool, False), (Any, b"x")],
)
def test_a_plain_value_of_a_wanted_type_arrives_as_it_is(wanted: Any, passed: Any) -> None:
    assert Argument("it", wanted).take("core.x.y", passed) is passed


@pytest.mark.parametrize(
    ("wanted", "passed", "taken"),
    [(int, 3.0, 3), (float, 3, 3.0), (bytes, "ä", b"\xc3\xa4"), (list[str], {}, []), (str | int, 3.0, 3)],
)
def test_a_value_of_another_type_is_converted(wanted: Any, passed: Any, taken: Any) -> None:
    found = Argument("it", wanted).take("core.x.y", passed)
    assert (found, type(found)) == (taken, type(taken))


@pytest.mark.parametrize(
    ("wanted", "passed"), [(int, True), (bool, 1), (str, 1), (str | int, 1.5), (str, b"\xff")]
)
def test_a_plain_value_of_a_type_that_is_not_wanted_is_refused(wanted: Any, passed: Any) -> None:
    with pytest.raises(CoreError) as caught:
        Argument("it", wanted).take("core.x.y", passed)
    assert caught.value.code == WRONG_TYPE
