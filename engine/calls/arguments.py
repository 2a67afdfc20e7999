"""What Lua passed to a core function, checked against Python types, with errors in the words of Lua.

The types of a function's parameters are its whole declaration: `str`, `int`, `float`, `bool`, `bytes`,
`list[...]`, `dict[...]`, unions of those, and `msgspec.Struct` for tables with known fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from engine.errors import CoreError

MISSING = 804
WRONG_TYPE = 801

#: Differences between Lua and Python are evened out one at a time; no honest value has more of them.
MOST_ADAPTIONS = 1000

_WORDS = {
    "str": "a string",
    "bytes": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a table",
    "array": "a list",
}
_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_PLACE = re.compile(r" - at `\$([^`]*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_REQUIRED = re.compile(r"missing required field `([^`]+)`")
_UNKNOWN = re.compile(r"contains unknown field `([^`]+)`")

Steps = list[str | int]

#: Stands for the default of a parameter that has none.
REQUIRED: Any = object()

_SCALARS = frozenset({str, int, float, bool, bytes})


class Argument:
    """One parameter of a core function, and the check of what Lua passes for it."""

    def __init__(self, name: str, wanted: Any, default: Any = REQUIRED) -> None:
        """Prepare the check of a parameter with this name, type and default."""
        self._name = name
        self._wanted = wanted
        self._default = default
        self._plain = plain_types(wanted)

    def take(self, label: str, value: Any) -> Any:
        """Return what Lua passed as the function wants it.

        Args:
            label: the function, for the error.

        Raises:
            CoreError: 801 for a wrong type, 804 for something that is missing.
        """
        if type(value) in self._plain:
            return value
        if value is not None:
            return convert(label, self._name, value, self._wanted)
        if self._default is REQUIRED:
            raise missing(label, self._name, self._wanted)
        return self._default


def plain_types(wanted: Any) -> frozenset[type]:
    """Return the types of which each value can be passed on as it is."""
    if wanted is Any:
        return _SCALARS
    members = get_args(wanted) if get_origin(wanted) in (Union, UnionType) else (wanted,)
    return _SCALARS.intersection(member for member in members if isinstance(member, type))


def convert(label: str, name: str, value: Any, wanted: Any) -> Any:
    """Return a value from Lua as the type that a parameter wants.

    Whole numbers count as integers however Lua kept them, an empty table also as an empty list, and text
    as bytes where bytes are wanted.

    Args:
        label: the function, such as "core.mysql.select".
        name: the parameter.

    Raises:
        CoreError: 801 for a wrong type, 804 for something that is missing; the message names the place.
    """
    if wanted is bytes and isinstance(value, str):
        return value.encode()
    for _ in range(MOST_ADAPTIONS):
        try:
            return msgspec.convert(value, wanted, builtin_types=(bytes,))
        except msgspec.ValidationError as error:
            steps = _steps(str(error))
            adapted = _adapt(str(error), _at(value, steps))
            if adapted is None:
                raise _refusal(label, name, value, str(error), steps) from error
            value = _replaced(value, steps, adapted[0])
    raise CoreError(f"{label}: {name} cannot be read", WRONG_TYPE)


def missing(label: str, name: str, wanted: Any) -> CoreError:
    """Return the error for an argument that was not given."""
    return CoreError(f"{label}: {name} must be {describe_type(wanted)}, got nil", MISSING)


def describe_type(wanted: Any) -> str:
    """Return a Python type in the words of Lua: "a string", "a number", "a table"."""
    try:
        msgspec.convert(_Nothing(), wanted, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        return _wanted_words(str(error))
    return "a value"


def describe_value(value: Any) -> str:
    """Return what a value is, in the words of Lua, without its content."""
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case float() if not value.is_integer():
            return "a fraction"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case bytes():
            # What is valid UTF-8 arrives as str.
            return "a string that is no UTF-8 text"
        case list():
            return "a list"
        case _:
            return "a table"


def holds_bytes(value: Any) -> bool:
    """Whether a value from Lua holds text that is not UTF-8, which JSON cannot keep."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case bytes():
                return True
            case list() as items:
                waiting += items
            case dict() as table:
                waiting += table.keys()
                waiting += table.values()
    return False


class _Nothing:
    """Something that no type accepts."""


def _wanted_words(problem: str) -> str:
    found = _EXPECTED.search(problem)
    kinds = [] if found is None else [kind.strip() for kind in found[1].split("|")]
    words = [_WORDS[kind] for kind in kinds if kind in _WORDS]
    return " or ".join(dict.fromkeys(words)) or "another value"


def _steps(problem: str) -> Steps:
    place = _PLACE.search(problem)
    steps: Steps = []
    for key, index in _STEP.findall(place[1] if place else ""):
        if index == "...":
            break
        steps.append(int(index) if index else key)
    return steps


def _at(value: Any, steps: Steps) -> Any:
    for step in steps:
        if isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def _replaced(value: Any, steps: Steps, new: Any) -> Any:
    if not steps:
        return new
    first, rest = steps[0], steps[1:]
    changed = value.copy()
    changed[first] = _replaced(value[first], rest, new)
    return changed


def _adapt(problem: str, value: Any) -> tuple[Any] | None:
    found = _EXPECTED.search(problem)
    kinds = found[1].split(" | ") if found else []
    adaptions: tuple[tuple[bool, str, Callable[[], Any]], ...] = (
        (value == {} and isinstance(value, dict), "array", list),
        (isinstance(value, float) and value.is_integer(), "int", lambda: int(value)),
        (isinstance(value, str), "bytes", lambda: value.encode()),
    )
    for applies, kind, adapted in adaptions:
        if applies and kind in kinds:
            return (adapted(),)
    return None


def _refusal(label: str, name: str, value: Any, problem: str, steps: Steps) -> CoreError:
    place = name + "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in steps)
    if required := _REQUIRED.search(problem):
        return CoreError(f"{label}: {place}.{required[1]} is required, got nil", MISSING)
    if unknown := _UNKNOWN.search(problem):
        return CoreError(f"{label}: {place}.{unknown[1]} is not known", WRONG_TYPE)
    found = _at(value, steps)
    if " - at `key` in " in problem:
        return CoreError(f"{label}: every key of {place} must be {_wanted_words(problem)}", WRONG_TYPE)
    if _EXPECTED.search(problem) is None:
        return CoreError(f"{label}: {place}: {problem.partition(' - at ')[0]}", WRONG_TYPE)
    return CoreError(
        f"{label}: {place} must be {_wanted_words(problem)}, got {describe_value(found)}", WRONG_TYPE
    )
