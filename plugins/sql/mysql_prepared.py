"""SELECTs that come again and again, prepared in the server, which reads their text only once then.

The answer is in the server's binary protocol, which tells some types otherwise than its text does: times, and
fractions with other digits. Only rows of other types are read so, and a job never notices.
"""

from __future__ import annotations

from typing import Any

from asyncmy.constants import FIELD_TYPE
from asyncmy.errors import MySQLError

from plugins.sql.build import Statement
from plugins.sql.driver import Columns, Limits, Rows

#: To prepare a statement is a question more to the server: only what came so often before is worth it.
USES_BEFORE = 4

#: Statements that one connection keeps prepared, and others of which it knows that they came.
MOST_PREPARED = 32
MOST_SEEN = 256

#: Types that both protocols give alike.
ALIKE = frozenset(
    (
        FIELD_TYPE.TINY,
        FIELD_TYPE.SHORT,
        FIELD_TYPE.INT24,
        FIELD_TYPE.LONG,
        FIELD_TYPE.LONGLONG,
        FIELD_TYPE.YEAR,
        FIELD_TYPE.DECIMAL,
        FIELD_TYPE.NEWDECIMAL,
        FIELD_TYPE.VARCHAR,
        FIELD_TYPE.VAR_STRING,
        FIELD_TYPE.STRING,
        FIELD_TYPE.ENUM,
        FIELD_TYPE.SET,
        FIELD_TYPE.TINY_BLOB,
        FIELD_TYPE.BLOB,
        FIELD_TYPE.MEDIUM_BLOB,
        FIELD_TYPE.LONG_BLOB,
        FIELD_TYPE.BIT,
    )
)

#: The server knows no such statement (any more), as behind a proxy, or could not prepare it again.
_FORGOTTEN_CODES = frozenset((1243, 1615))

#: Stands for a statement that is never to be prepared.
_NEVER = -1

#: Stands for the columns of a statement that gave none yet.
_NOTHING: tuple[Any, Columns] = (object(), Columns((), 0))

Texts = tuple[str, ...]


class _Taken:
    """Takes the rows of one statement from the driver, in the place of a cursor."""

    def __init__(self) -> None:
        self._rows: tuple[Any, ...] = ()
        self._description: Any = None

    def _set_cached_rows(self, rows: tuple[Any, ...], description: Any) -> None:
        self._rows, self._description = rows, description

    def take(self) -> tuple[tuple[Any, ...], Any]:
        """Return rows and description, and keep no rows."""
        rows, self._rows = self._rows, ()
        return rows, self._description


class PreparedSelects:
    """The prepared statements of one connection."""

    def __init__(self, wire: Any) -> None:
        """Make it for a connection that has none yet."""
        self._wire = wire
        self._seen: dict[Texts, int] = {}
        self._prepared: dict[Texts, Any] = {}
        self._good: dict[Texts, tuple[Any, Columns]] = {}
        self._taken = _Taken()

    async def run(self, statement: Statement, limits: Limits) -> list[dict[str, Any]] | None:
        """Carry a statement out if it is prepared, or is to be from now on.

        Returns:
            its rows; None if the statement is to be sent as text.

        Raises:
            CoreError: the rows are over a limit.
        """
        prepared = self._prepared.get(statement.texts) or await self._prepare(statement)
        if prepared is None:
            return None
        taken = self._taken
        try:
            # As the driver's own cursor does with the statements that it keeps, without making one.
            if not await prepared._execute_cursor(statement.values, taken):
                taken._set_cached_rows(self._wire._result.rows, self._wire._result.description)
        except MySQLError as error:
            if error.args[0] not in _FORGOTTEN_CODES:
                raise
            self.forget()
            return None
        found, description = taken.take()
        described, columns = self._good.get(statement.texts, _NOTHING)
        if described is not description:
            # At the first time; or somebody changed the table.
            if not _are_alike(description):
                await self._drop(statement.texts, _NEVER)
                return None
            columns = columns_of(description)
            self._good[statement.texts] = description, columns
        rows = Rows(columns, limits.rows)
        rows.add(found)
        return rows.rows

    def came(self, statement: Statement, description: Any) -> None:
        """Take note of a statement that was sent as text, and of the columns that it gave."""
        uses = self._seen.pop(statement.texts, 0)
        if uses != _NEVER:
            uses = uses + 1 if _are_alike(description) else _NEVER
        self._seen[statement.texts] = uses
        if len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]

    def forget(self) -> None:
        """Take note that the server forgot what was prepared."""
        self._seen.clear()
        self._prepared.clear()
        self._good.clear()

    async def _prepare(self, statement: Statement) -> Any | None:
        if self._seen.get(statement.texts, 0) < USES_BEFORE:
            return None
        if len(self._prepared) >= MOST_PREPARED:
            await self._drop(next(iter(self._prepared)), 0)
        try:
            prepared = await self._wire.prepare(statement.render(lambda _: "?"))
        except MySQLError:
            # As text it gets the server's own error, or works: there may be too many prepared statements.
            self._seen[statement.texts] = _NEVER
            return None
        self._prepared[statement.texts] = prepared
        return prepared

    async def _drop(self, texts: Texts, uses: int) -> None:
        self._seen[texts] = uses
        self._good.pop(texts, None)
        await self._prepared.pop(texts).close()


def columns_of(description: Any) -> Columns:
    """Return the columns that the driver describes."""
    return Columns.named(column[0] for column in description)


def _are_alike(description: Any) -> bool:
    return description is not None and all(column[1] in ALIKE for column in description)
