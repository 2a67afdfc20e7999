"""Statements for many rows, compiled once.

SQLAlchemy looks at each row by its names, and makes up its mind about a statement at each execution. That
is most of the cost of a small transaction, and the journal makes thousands of them with the same few
statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Update

from engine.store.dialects import execute_many

Values = tuple[Any, ...]
Convert = Callable[[Any], Any]


class Prepared:
    """An insert, update or delete whose rows are tuples."""

    def __init__(self, statement: Insert | Update | Delete, names: Sequence[str]) -> None:
        """Prepare a statement.

        Args:
            names: of the bound values (in an insert: of the columns), in the order of the rows' values.
        """
        self._statement = statement
        self._names = tuple(names)
        self._compiled: dict[str, Compiled] = {}

    def execute(self, connection: Connection, rows: Sequence[Values]) -> int:
        """Carry it out for each of the rows, in a transaction; return how many rows of the table it changed.

        Raises:
            DBAPIError: the database refused it.
        """
        compiled = self.compiled(connection.dialect)
        return execute_many(connection, compiled.text, compiled.parameters(rows))

    def compiled(self, dialect: Dialect) -> Compiled:
        """Return it in the words of one database."""
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = Compiled(self._statement, self._names, dialect)
        return compiled


class Compiled:
    """A statement in the words of one database, and how a row's values become its parameters."""

    def __init__(self, statement: Insert | Update | Delete, names: tuple[str, ...], dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
        order = compiled.positiontup if compiled.positional else list(compiled.bind_names.values())
        constants = [name for name in order if name not in names]
        places = {name: place for place, name in enumerate([*names, *constants])}
        self.text: str = compiled.string
        self._constants = tuple(compiled.params[name] for name in constants)
        self._places = [places[name] for name in order]
        converters = [_converter(compiled.binds[name].type, dialect) for name in order]
        self._converters = [(at, convert) for at, convert in enumerate(converters) if convert is not None]
        self._keys = None if compiled.positional else order

    def parameters(self, rows: Iterable[Values]) -> list[Any]:
        """Return the rows as the driver takes them: tuples or, where it wants names, dicts."""
        bound = [self._bound((*row, *self._constants)) for row in rows]
        return bound if self._keys is None else [dict(zip(self._keys, row, strict=True)) for row in bound]

    def _bound(self, values: Values) -> Values:
        bound = [values[place] for place in self._places]
        for at, convert in self._converters:
            if bound[at] is not None:
                bound[at] = convert(bound[at])
        return tuple(bound)


def _converter(kind: Any, dialect: Dialect) -> Convert | None:
    convert: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    assert convert is None or convert(None) is None, f"{kind!r} would write something for None"
    return convert
