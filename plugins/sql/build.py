"""SQL from the tables of a job: pure functions, the same for every database.

A statement is kept in pieces: text, and values that only the driver puts in. No value ever becomes part of
the text, and every name of a table or column is checked and quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import UNSET, Struct

from plugins.sql.dialects import Dialect
from plugins.sql.options import Delete, Insert, Select, SelectCount, Update

WRONG_TYPE = 801
MISSING = 804

MOST_NAME_PARTS = 3

#: So many rows may be read at once.
FEW_ROWS = 100

Scalar = str | bytes | int | float | bool | None

#: Quotes and control characters have no honest place in a name.
_NAME = re.compile(r"[^\x00-\x1f\x7f`\"'\\;]+")
_ORDER = re.compile(r"(.+?)(?:\s+(asc|desc))?", re.IGNORECASE | re.DOTALL)
#: Columns of a statement whose text is kept.
_MOST_PLAIN = 16

#: Types of values that stand in a statement as they are.
_PLAIN = frozenset((str, bytes, int, float, bool))
_NAMES = frozenset((str,))
_DIRECTIONS = {"asc": "ASC", "desc": "DESC", 1: "ASC", -1: "DESC"}


class BuildError(ValueError):
    """What a job asked for is no statement.

    Attributes:
        code: 801 for a wrong value, 804 for a missing one.
    """

    def __init__(self, message: str, code: int = WRONG_TYPE) -> None:
        super().__init__(message)
        self.code = code


class Bound(NamedTuple):
    """A value that the driver puts in."""

    value: Scalar


Pieces = list[str | Bound]


class Statement(Struct, frozen=True):
    """One SQL statement.

    Attributes:
        texts: its text, cut at the places of the values.
        values: one for each cut, in their order.
        written: it holds SQL that a job wrote by hand, which may change the state of its connection.
        few: it gives `FEW_ROWS` at most, and changes nothing.
    """

    texts: tuple[str, ...]
    values: tuple[Scalar, ...] = ()
    written: bool = False
    few: bool = False

    def render(self, place: Callable[[int], str]) -> str:
        """Return the text with a mark at the place of each value.

        Args:
            place: gives the mark of the value with this number, from 1.
        """
        return self.texts[0] + "".join(place(number) + text for number, text in enumerate(self.texts[1:], 1))

    def spelled(self, literal: Callable[[Scalar], str]) -> str:
        """Return the text with each value in its place, as `literal` writes it."""
        spelled = self.texts[0]
        for value, text in zip(self.values, self.texts[1:], strict=True):
            spelled += literal(value) + text
        return spelled

    def describe(self, dialect: Dialect) -> str:
        """Return the statement for people to read, its values in their places."""
        text = self.spelled(dialect.literal).rstrip()
        return text if text.endswith(";") else text + ";"


def written(sql: str) -> Statement:
    """Return a statement that a job wrote.

    Raises:
        BuildError: it is blank.
    """
    if not sql.strip():
        raise BuildError("the SQL text is empty", MISSING)
    if "\0" in sql:
        raise _zero_byte()
    return Statement((sql,), written=True)


def select(dialect: Dialect, options: Select) -> Statement:
    """Return the SELECT for these options."""
    where, limit, columns = options.where, options.limit, options.columns or ()
    # Few rows with few columns, in no order, where others have one value each.
    if (
        type(limit) is int
        and 0 < limit <= FEW_ROWS
        and type(where) is dict
        and 0 < len(where) <= _MOST_PLAIN
        and len(columns) <= _MOST_PLAIN
        and not options.orderby
        and _NAMES.issuperset(map(type, where))
        and _PLAIN.issuperset(map(type, where.values()))
    ):
        texts = _plain_select(dialect, options.tbl, tuple(columns), options.distinct, tuple(where), limit)
        return Statement(texts, tuple(where.values()), few=True)
    return _any_select(dialect, options)


@lru_cache(maxsize=256)  # as `quoted`; jobs ask the same again and again, with other values
def _plain_select(
    dialect: Dialect, tbl: str, columns: tuple[str, ...], distinct: bool, where: tuple[str, ...], limit: int
) -> tuple[str, ...]:
    like = Select(tbl, list(columns), dict.fromkeys(where, 0), limit=limit, distinct=distinct)
    return _any_select(dialect, like).texts


def _any_select(dialect: Dialect, options: Select) -> Statement:
    what = _columns(dialect, options.columns)
    distinct = "DISTINCT " if options.distinct else ""
    pieces: Pieces = [f"SELECT {distinct}{what} FROM {table(dialect, options.tbl)}"]
    pieces += _where(dialect, options.where)
    pieces.append(_order(dialect, options.orderby) + _limit(options.limit))
    return _statement(pieces, options.where)


def count(dialect: Dialect, options: SelectCount) -> Statement:
    """Return the SELECT that counts rows; the number's column is `n`."""
    counted = _column(dialect, options.column)
    pieces: Pieces = [f"SELECT COUNT({counted}) AS n FROM {table(dialect, options.tbl)}"]
    return _statement(pieces + _where(dialect, options.where), options.where)


def insert(dialect: Dialect, options: Insert) -> Statement:
    """Return the INSERT of one row."""
    values = _checked_values(options.values)
    names = ",".join(quoted(dialect, name, "a column") for name in values)
    places = _joined([[Bound(value)] for value in values.values()], ",")
    head = f"INSERT INTO {table(dialect, options.tbl)} ({names}) VALUES ("
    return _statement([head, *places, ")" + dialect.after_insert])


def update(dialect: Dialect, options: Update) -> Statement:
    """Return the UPDATE; without `where` it changes every row."""
    values = _checked_values(options.values)
    changes: list[Pieces] = [
        [quoted(dialect, name, "a column") + "=", Bound(value)] for name, value in values.items()
    ]
    pieces: Pieces = [f"UPDATE {table(dialect, options.tbl)} SET ", *_joined(changes, ",")]
    return _statement(pieces + _where(dialect, options.where), options.where)


def delete(dialect: Dialect, options: Delete) -> Statement:
    """Return the DELETE.

    Raises:
        BuildError: also without `where` where `force` is not set.
    """
    if options.where is UNSET and not options.force:
        raise BuildError(
            "without where it would delete every row; if that is meant, set force = true", MISSING
        )
    pieces: Pieces = [f"DELETE FROM {table(dialect, options.tbl)}"]
    return _statement(pieces + _where(dialect, options.where), options.where)


def table(dialect: Dialect, name: str) -> str:
    """Return a table's name, quoted; `schema.table` is one too."""
    return quoted(dialect, name, "tbl")


@lru_cache(maxsize=1024)  # of good names, whose length is limited; the same few come again and again
def quoted(dialect: Dialect, name: str, what: str) -> str:
    """Return a name in the quotes of the database, each part between dots in its own.

    Args:
        what: what is named, for the error.

    Raises:
        BuildError: it cannot be a name.
    """
    parts = name.split(".")
    if len(parts) > MOST_NAME_PARTS or not all(_is_name(dialect, part) for part in parts):
        raise BuildError(f"{what} cannot be named {_shown(name)}")
    return ".".join(f"{dialect.quote}{part}{dialect.quote}" for part in parts)


def _is_name(dialect: Dialect, part: str) -> bool:
    return _NAME.fullmatch(part) is not None and len(part.encode()) <= dialect.longest_name


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _statement(pieces: Pieces, where: Any = UNSET) -> Statement:
    texts, values = [""], []
    for piece in pieces:
        if isinstance(piece, str):
            texts[-1] += piece
        else:
            texts.append("")
            values.append(piece.value)
    return Statement(tuple(texts), tuple(values), written=isinstance(where, str))


def _columns(dialect: Dialect, columns: Sequence[str] | None) -> str:
    return ",".join([_column(dialect, name) for name in columns]) if columns else "*"


def _column(dialect: Dialect, name: str) -> str:
    return "*" if name == "*" else quoted(dialect, name, "a column")


def _where(dialect: Dialect, where: Any) -> Pieces:
    if where is UNSET:
        return []
    if isinstance(where, str):
        if not where.strip():
            raise _empty_where()
        if "\0" in where:
            raise _zero_byte()
        return [" WHERE ", where]
    entries = where if isinstance(where, list) else [where]
    if not entries:
        raise _empty_where()
    return [" WHERE ", *_joined([_entry(dialect, entry) for entry in entries], " AND ")]


def _zero_byte() -> BuildError:
    return BuildError("SQL text cannot hold a zero byte")


def _empty_where() -> BuildError:
    return BuildError(
        "where is empty (a nil in it counts as absent); leave it out to mean every row", MISSING
    )


def _entry(dialect: Dialect, entry: Any) -> Pieces:
    """Return one table of `where`: plain values all hold, and of the wrapped ones at least one."""
    if entry is None or entry == {} or entry == []:
        raise _empty_where()
    if not isinstance(entry, dict):
        raise BuildError("where must be SQL text, a table of columns, or a list of such tables")
    every: list[Pieces] = []
    either: list[Pieces] = []
    for column, value in entry.items():
        if not isinstance(column, str):
            raise BuildError("every key of where must be a column's name")
        if isinstance(value, list | dict):
            either += [_equals(dialect, column, one) for one in _wrapped(column, value)]
        else:
            every.append(_equals(dialect, column, value))
    if either:
        every.append(either[0] if len(either) == 1 else ["(", *_joined(either, " OR "), ")"])
    return _joined(every, " AND ")


def _wrapped(column: str, values: list[Any] | dict[Any, Any]) -> list[Any]:
    if not values:
        raise BuildError(f"where.{column} is an empty list", MISSING)
    if isinstance(values, dict):
        raise BuildError(f"where.{column} must be a value or a list of values, got a table")
    return values


def _equals(dialect: Dialect, column: str, value: Any) -> Pieces:
    name = quoted(dialect, column, "a column")
    if value is None:
        return [f"{name} IS NULL"]
    return [f"{name}=", Bound(_scalar(f"where.{column}", value))]


def _scalar(place: str, value: Any) -> Scalar:
    if value is None or isinstance(value, str | bytes | int | float):
        return value
    raise BuildError(f"{place} must be a string, a number, true, false or core.NULL, got a table")


def _checked_values(values: Mapping[str, Any]) -> Mapping[str, Scalar]:
    if not values:
        raise BuildError("values is empty (a nil in it counts as absent; core.NULL writes NULL)", MISSING)
    return {name: _scalar(f"values.{name}", value) for name, value in values.items()}


def _order(dialect: Dialect, orderby: Mapping[str, Any] | Sequence[Any] | None) -> str:
    if not orderby:
        return ""
    parts = [_directed(dialect, name, way) for name, way in _order_pairs(orderby)]
    return " ORDER BY " + ",".join(parts)


def _order_pairs(orderby: Mapping[str, Any] | Sequence[Any]) -> Iterable[tuple[str, Any]]:
    if isinstance(orderby, Mapping):
        yield from orderby.items()
        return
    for part in orderby:
        if isinstance(part, str) and (found := _ORDER.fullmatch(part.strip())):
            yield found[1], found[2] or "asc"
        elif isinstance(part, dict) and part and all(isinstance(name, str) for name in part):
            yield from part.items()
        else:
            raise BuildError('an entry of orderby must be like "price DESC" or { price = "DESC" }')


def _directed(dialect: Dialect, name: str, way: Any) -> str:
    direction = None
    if isinstance(way, str | int | float):
        direction = _DIRECTIONS.get(way.lower() if isinstance(way, str) else way)
    if direction is None:
        raise BuildError(f'orderby.{name} must be "ASC" or "DESC" (or core.ASC, core.DESC)')
    return f"{quoted(dialect, name, 'a column')} {direction}"


def _limit(limit: int | Sequence[int] | None) -> str:
    if limit is None:
        return ""
    pair = [0, limit] if isinstance(limit, int) else list(limit)
    if len(pair) != 2 or min(pair) < 0:
        raise BuildError("limit must be a number of rows, or { offset, rows }, none of them below zero")
    offset, rows = pair
    return f" LIMIT {rows} OFFSET {offset}" if offset else f" LIMIT {rows}"


def _joined(parts: Sequence[Pieces], between: str) -> Pieces:
    joined: Pieces = []
    for part in parts:
        if joined:
            joined.append(between)
        joined += part
    return joined
