"""Core functions and their types in the words of Lua, for completion in editors and for the reference.

All of it comes from the declarations: parameters, annotations and docstrings of the functions, and for a
module with a facade the LuaLS comments that stand above the functions of its Lua text.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin

import msgspec

from engine.calls.core import CoreFunction, CoreModule

_PLAIN: dict[Any, str] = {
    str: "string",
    bytes: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "table",
    list: "any[]",
    type(None): "nil",
    Any: "any",
    object: "any",
}
_UNIONS = (Union, types.UnionType)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a function.

    Attributes:
        default: what is taken without it, as Lua would write it; None for one that is required.
        doc: what it is for, where the docstring says so.
    """

    name: str
    type: str
    default: str | None = None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """One function as Lua sees it.

    Attributes:
        name: its whole name, such as "core.data.get".
        returns: the types of its values when all goes well.
        doc: what it does, as its author wrote it.
    """

    name: str
    parameters: tuple[Parameter, ...]
    returns: tuple[str, ...]
    doc: str


class LuaTypes:
    """Writes Python types as LuaLS does: `list[str] | None` is "string[]|nil".

    Attributes:
        structs: the tables with known fields that were met, by the names of their classes in Lua.
    """

    def __init__(self, prefix: str = "") -> None:
        """Make a writer.

        Args:
            prefix: stands before the names of classes, such as "core.mysql.".
        """
        self._prefix = prefix
        self.structs: dict[str, type[msgspec.Struct]] = {}

    def of(self, annotation: Any) -> str:
        """Return a type in the words of Lua."""
        known = _PLAIN.get(annotation) if isinstance(annotation, Hashable) else None
        if known is not None:
            return known
        if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
            return self._struct(annotation)
        return self._composed(get_origin(annotation), get_args(annotation))

    def values_of(self, annotation: Any) -> tuple[str, ...]:
        """Return the types of the values that a function of this return type gives to Lua."""
        if annotation in (None, type(None)):
            return ()
        parts = get_args(annotation) if get_origin(annotation) in _UNIONS else (annotation,)
        several = [get_args(part) if get_origin(part) is tuple else (part,) for part in parts]
        width = max(len(one) for one in several)
        columns = [
            [one[i] for one in several if i < len(one) and one[i] is not Ellipsis] for i in range(width)
        ]
        return tuple(self._union(column) for column in columns if column)

    def _struct(self, kind: type[msgspec.Struct]) -> str:
        name = self._prefix + kind.__name__
        if name not in self.structs:
            self.structs[name] = kind
            for one in msgspec.structs.fields(kind):
                self.of(one.type)
        return name

    def _union(self, parts: Sequence[Any]) -> str:
        return "|".join(dict.fromkeys(self.of(part) for part in parts))

    def _composed(self, origin: Any, parts: Sequence[Any]) -> str:
        if origin in _UNIONS:
            return self._union(parts)
        if origin is typing.Annotated:
            return self.of(parts[0])
        if origin is typing.Literal:
            return "|".join(lua_literal(part) for part in parts)
        if not isinstance(origin, type):
            return "any"
        if issubclass(origin, Mapping):
            return f"table<{self.of(parts[0])}, {self.of(parts[1])}>"
        if issubclass(origin, Sequence):
            inner = self.of(parts[0])
            return f"({inner})[]" if "|" in inner else f"{inner}[]"
        return "any"


def signature_of(function: CoreFunction, types: LuaTypes | None = None) -> Signature:
    """Return a declared function in the words of Lua.

    Args:
        types: takes the tables with known fields that its parameters name.
    """
    types = types or LuaTypes(f"core.{function.module}.")
    doc, arguments = split_doc(function.call.__doc__ or "")
    return Signature(
        name=f"core.{function.path}",
        parameters=tuple(_parameter(function, one, arguments, types) for one in function.parameters),
        returns=types.values_of(function.types.get("return", Any)),
        doc=doc,
    )


def _parameter(
    function: CoreFunction, parameter: inspect.Parameter, arguments: Mapping[str, str], types: LuaTypes
) -> Parameter:
    written = types.of(function.types.get(parameter.name, Any))
    required = parameter.default is inspect.Parameter.empty
    default = None if required else lua_literal(parameter.default)
    return Parameter(parameter.name, written, default, arguments.get(parameter.name, ""))


_SECTION = re.compile(r"(?m)^(Args|Attributes|Returns|Yields|Raises):\n((?:[ \t]+.*\n?|\n)*)")
_ARGUMENT = re.compile(r"(?m)^    (\w+): ((?:.*\n?)(?:^ {6,}.*\n?)*)")


def split_doc(doc: str) -> tuple[str, dict[str, str]]:
    """Return what a docstring says without its sections, and what it says of each argument."""
    text = inspect.cleandoc(doc)
    arguments: dict[str, str] = {}
    for section in _SECTION.finditer(text + "\n"):
        if section[1] in ("Args", "Attributes"):
            arguments |= {one[1]: " ".join(one[2].split()) for one in _ARGUMENT.finditer(section[2])}
    return _SECTION.sub("", text + "\n").strip(), arguments


def lua_literal(value: Any) -> str:
    """Return a plain value as Lua writes it."""
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        case int() | float():
            return str(value)
        case _:
            return "{}" if not value else "{ ... }"


def one_line(text: str) -> str:
    """Return a text with all its blanks as single ones."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Remark:
    """A block of LuaLS comments in a facade, with what stands below it.

    Attributes:
        lines: the comments.
        code: the declaration below as it has to stand in a definition file; "" for comments alone.
        name: the function's name, "" for anything else.
    """

    lines: tuple[str, ...]
    code: str = ""
    name: str = ""

    @property
    def class_name(self) -> str:
        """The class that it declares, or nothing."""
        declared = self.values("class")
        return declared[0].removeprefix("(exact) ").split()[0] if declared else ""

    @property
    def table(self) -> str:
        """The name of the table below it in the facade, or nothing."""
        found = _TABLE.match(self.code)
        return found[1] if found else ""

    def text(self) -> str:
        """Return what it says to people."""
        words = [line.removeprefix("---").removeprefix(" ") for line in self.lines]
        return "\n".join(line for line in words if not line.startswith("@")).strip()

    def values(self, tag: str) -> list[str]:
        """Return what stands behind each annotation of a kind, such as "return"."""
        start = f"---@{tag} "
        return [line.removeprefix(start) for line in self.lines if line.startswith(start)]

    def named(self, tag: str) -> list[tuple[str, str, str]]:
        """Return name, type and description of each annotation of a kind, such as "param"."""
        return [(name, *split_type(rest)) for name, _, rest in (v.partition(" ") for v in self.values(tag))]


_OPENING = {"(": ")", "<": ">", "{": "}", '"': '"'}


def split_type(text: str) -> tuple[str, str]:
    """Return a LuaLS type and the description behind it."""
    awaited: list[str] = []
    for position, sign in enumerate(text):
        if awaited and sign == awaited[-1]:
            awaited.pop()
        elif sign in _OPENING:
            awaited.append(_OPENING[sign])
        elif sign == " " and not awaited and text[position - 1] not in ":,":
            return text[:position], text[position + 1 :].strip()
    return text, ""


_FUNCTION = re.compile(r"^(?:local\s+)?function\s+([\w.:]+)\s*\(([^)]*)\)")
_RETURNED = re.compile(r"^return\b(?:\s+function\s*\(([^)]*)\))?")
_PARAMETER = re.compile(r"^---@param (\S+?)\?? ")
_CLASS = re.compile(r"^---@class ")
_TABLE = re.compile(r"^local\s+(\w+)\s*=\s*(?:\{|setmetatable)")


def facade_remarks(module: CoreModule) -> list[Remark]:
    """Return what the LuaLS comments of a module's facade declare, in their order.

    A block of lines that begin with `---` belongs to the line below it: a function, a table that is a class,
    or the `return` of a function that is the module itself. A class of the name `core.<module>` is the
    module's table.
    """
    lines = (module.facade or "").splitlines()
    return [_remark(module.name, block, below) for block, below in _blocks(lines)]


def remarks_of(text: str) -> list[Remark]:
    """Return what a definition file declares, in its order; functions without comments too."""
    lines = text.splitlines()
    return [_remark("", block, below) for block, below in _blocks(lines, bare=_FUNCTION)]


def _blocks(
    lines: Sequence[str], bare: re.Pattern[str] | None = None
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield blocks of comments with the line below each, and lines like `bare` that have no comments."""
    block: list[str] = []
    for line in (*lines, ""):
        stripped = line.strip()
        if stripped.startswith("---"):
            block.append(stripped)
        elif block or (bare is not None and bare.match(stripped)):
            yield tuple(block), stripped
            block = []


def _remark(module: str, block: tuple[str, ...], below: str) -> Remark:
    if found := _FUNCTION.match(below):
        return Remark(block, f"function {found[1]}({found[2]}) end", found[1])
    if (found := _RETURNED.match(below)) and not any(map(_CLASS.match, block)):
        names = found[1] or ", ".join(one[1] for one in map(_PARAMETER.match, block) if one)
        return Remark(block, f"function core.{module}({names}) end", f"core.{module}")
    if found := _TABLE.match(below):
        return Remark(block, f"local {found[1]} = {{}}")
    return Remark(block)
