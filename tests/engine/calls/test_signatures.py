"""Python declarations in the words of Lua."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from engine.calls.core import CoreCall, CoreModule
from engine.calls.signatures import (
    LuaTypes,
    Parameter,
    facade_remarks,
    lua_literal,
    signature_of,
    split_doc,
    split_type,
)


class Inner(msgspec.Struct):
    deep: int


class Options(msgspec.Struct):
    tbl: str
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("annotation", "written"),
    [
        (str, "string"),
        (bytes, "string"),
        (int | None, "integer|nil"),
        (str | bytes, "string"),
        (list[str], "string[]"),
        (list[str | int], "(string|integer)[]"),
        (dict[str, list[float]], "table<string, number[]>"),
        (dict, "table"),
        (Any, "any"),
        (Literal["a", "b"], '"a"|"b"'),
        (Annotated[int, msgspec.Meta(ge=1)], "integer"),
        (Options, "core.shop.Options"),
    ],
)
def test_a_python_type_is_written_as_lua_tools_read_it(annotation: Any, written: str) -> None:
    assert LuaTypes("core.shop.").of(annotation) == written


def test_tables_with_known_fields_are_collected_with_those_inside() -> None:
    types = LuaTypes("core.shop.")
    types.of(list[Options])
    assert types.structs == {"core.shop.Options": Options, "core.shop.Inner": Inner}


@pytest.mark.parametrize(
    ("annotation", "values"),
    [
        (None, ()),
        (bool, ("boolean",)),
        (tuple[str, int], ("string", "integer")),
        (bool | tuple[bool, str, int] | None, ("boolean|nil", "string", "integer")),
        (tuple[str, ...], ("string",)),
    ],
)
def test_several_values_are_told_one_by_one(annotation: Any, values: tuple[str, ...]) -> None:
    assert LuaTypes().values_of(annotation) == values


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, "nil"), (True, "true"), (3, "3"), ('a"\n', '"a\\"\\n"'), ([], "{}"), ({"a": 1}, "{ ... }")],
)
def test_a_default_is_written_as_lua_would(value: Any, written: str) -> None:
    assert lua_literal(value) == written


def test_a_function_is_told_with_what_its_docstring_says_of_each_argument() -> None:
    shop = CoreModule("shop", summary="For tests.")

    @shop.function("findAll")
    async def find_all(call: CoreCall, name: str, limit: int = 10) -> list[str]:
        """Return what has this name.

        Nothing else.

        Args:
            name: what to look for,
                in whole.
            limit: how many at most.

        Raises:
            CoreError: never.
        """
        return []

    signature = signature_of(shop.functions["findAll"])
    assert signature.name == "core.shop.findAll"
    assert signature.parameters == (
        Parameter("name", "string", None, "what to look for, in whole."),
        Parameter("limit", "integer", "10", "how many at most."),
    )
    assert signature.returns == ("string[]",)
    assert signature.doc == "Return what has this name.\n\nNothing else."


def test_a_docstring_without_sections_is_all_text() -> None:
    assert split_doc("Do it: now.") == ("Do it: now.", {})


FACADE = """
local native = ...

---@class core.shop.Toy
---@field name string
local Toy = {}

--- Give it back.
---@return boolean
function Toy:give(why, how)
  return native.give(self.name, why, how)
end

-- No declaration.
local function helper(x) return x end

---@alias core.shop.Size "small"|"large"

--- Take a toy.
---@param name string
---@return core.shop.Toy
return function(name) return setmetatable({ name = helper(name) }, Toy) end
"""


def test_a_facade_declares_by_its_comments_and_the_lines_below_them() -> None:
    remarks = facade_remarks(CoreModule("shop", summary="For tests.", facade=FACADE))
    assert [(one.name, one.code) for one in remarks] == [
        ("", "local Toy = {}"),
        ("Toy:give", "function Toy:give(why, how) end"),
        ("", ""),
        ("core.shop", "function core.shop(name) end"),
    ]
    assert remarks[1].lines == ("--- Give it back.", "---@return boolean")


def test_a_function_that_is_the_module_takes_its_arguments_from_the_comments() -> None:
    facade = (
        "local native = ...\n--- Wait.\n---@param seconds number\n---@param why? string\nreturn native.pause"
    )
    [remark] = facade_remarks(CoreModule("sleep", summary="For tests.", facade=facade))
    assert (remark.name, remark.code) == ("core.sleep", "function core.sleep(seconds, why) end")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("string a name", ("string", "a name")),
        ("table<string, any>|nil what it holds", ("table<string, any>|nil", "what it holds")),
        (
            "fun(a: string, b: integer): boolean called once",
            ("fun(a: string, b: integer): boolean", "called once"),
        ),
        ('"a b"|"c"', ('"a b"|"c"', "")),
    ],
)
def test_a_type_is_told_from_the_description_behind_it(text: str, parts: tuple[str, str]) -> None:
    assert split_type(text) == parts
