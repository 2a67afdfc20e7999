"""Which documents a query of `core.data` means, and in which order they stand.

| in the query                   | matches documents whose field                                    |
| ------------------------------ | ---------------------------------------------------------------- |
| `{stock = 3}`                  | equals the value; a table must be equal as a whole               |
| `{stock = {["$gt"] = 3}}`      | is greater; also `$gte` `$lt` `$lte`, for numbers and for text   |
| `{name = {["$ne"] = "kite"}}`  | is not equal to it, or is not there                              |
| `{name = {["$in"] = {...}}}`   | equals one of the list; `$nin`: none of it, or is not there      |
| `{name = {["$exists"] = true}}`| is there (false: is not there)                                   |

A field named "a.b" means the field b of the table in field a. Several fields, and several operators of one
field, must all match. A value of nil (`core.NULL`) equals a field that is empty or not there.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from engine.calls.arguments import describe_value
from engine.errors import CoreError

WRONG = 801

#: What `field` gives for one that is not there.
ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT"})()

Condition = Callable[[Any], bool]


class Query:
    """A query, understood."""

    def __init__(self, fields: dict[str, Any]) -> None:
        """Understand a query.

        Raises:
            CoreError: 801, naming the field and what is wrong.
        """
        self.fields = fields
        self._conditions = [
            (name, condition) for name in fields for condition in _conditions(name, fields[name])
        ]

    def matches(self, document: dict[str, Any]) -> bool:
        """Return whether a document is meant."""
        return all(condition(field(document, name)) for name, condition in self._conditions)


def field(document: dict[str, Any], name: str) -> Any:
    """Return what a document holds in a field, ABSENT if it has none of that name."""
    if name in document or "." not in name:
        return document.get(name, ABSENT)
    head, rest = name.split(".", 1)
    inner = document.get(head)
    return field(inner, rest) if isinstance(inner, dict) else ABSENT


def equals(left: Any, right: Any) -> bool:
    """Return whether two JSON values are the same: 1 equals 1.0, but true does not equal 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equals(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equals, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def sort_key(value: Any) -> tuple[int, Any]:
    """Return what puts JSON values into an order: nothing, numbers, text, false and true, tables.

    Text is compared by its characters, as Lua's `<` does in the C locale. All tables are alike.
    """
    match value:
        case bool():
            return (3, value)
        case int() | float():
            return (1, value)
        case str():
            return (2, value)
        case list() | dict():
            return (4, 0)
        case _:
            return (0, 0)


def _conditions(name: str, wanted: Any) -> list[Condition]:
    if name.startswith("$"):
        raise CoreError(f"core.data: {name} stands where a field's name belongs", WRONG)
    if not _has_operators(wanted):
        return [lambda value: _same(value, wanted)]
    return [_condition(name, operator, operand) for operator, operand in wanted.items()]


def _has_operators(wanted: Any) -> bool:
    return isinstance(wanted, dict) and any(str(key).startswith("$") for key in wanted)


def _condition(name: str, operator: str, operand: Any) -> Condition:
    make = _OPERATORS.get(operator)
    if make is None:
        near = difflib.get_close_matches(str(operator), _OPERATORS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {' '.join(_OPERATORS)}"
        raise CoreError(f"core.data: field {name}: operator {operator} is not known; {hint}", WRONG)
    return make(f"core.data: field {name}: {operator}", operand)


def _same(value: Any, wanted: Any) -> bool:
    return equals(None if value is ABSENT else value, wanted)


def _comparing(compare: Callable[[Any, Any], bool]) -> Callable[[str, Any], Condition]:
    def make(label: str, limit: Any) -> Condition:
        rank = sort_key(limit)[0]
        if rank not in (1, 2):
            raise CoreError(f"{label} compares numbers or text, got {describe_value(limit)}", WRONG)
        return lambda value: sort_key(value)[0] == rank and compare(value, limit)

    return make


def _not_equal(label: str, unwanted: Any) -> Condition:
    return lambda value: not _same(value, unwanted)


def _one_of(label: str, wanted: Any) -> Condition:
    choices = _list(label, wanted)
    return lambda value: any(_same(value, choice) for choice in choices)


def _none_of(label: str, unwanted: Any) -> Condition:
    choices = _list(label, unwanted)
    return lambda value: not any(_same(value, choice) for choice in choices)


def _exists(label: str, wanted: Any) -> Condition:
    if not isinstance(wanted, bool):
        raise CoreError(f"{label} is true or false, got {describe_value(wanted)}", WRONG)
    return lambda value: (value is not ABSENT) is wanted


def _list(label: str, value: Any) -> list[Any]:
    # An empty Lua table says neither that it is a list nor that it is not.
    if value == {}:
        return []
    if not isinstance(value, list):
        raise CoreError(f"{label} takes a list, got {describe_value(value)}", WRONG)
    return value


_OPERATORS: dict[str, Callable[[str, Any], Condition]] = {
    "$gt": _comparing(lambda value, limit: value > limit),
    "$gte": _comparing(lambda value, limit: value >= limit),
    "$lt": _comparing(lambda value, limit: value < limit),
    "$lte": _comparing(lambda value, limit: value <= limit),
    "$ne": _not_equal,
    "$in": _one_of,
    "$nin": _none_of,
    "$exists": _exists,
}
