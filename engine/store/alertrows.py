"""Alerts in the database: each is one row, written whole whenever it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

from engine.store.dialects import upsert
from engine.store.models import ALERT
from engine.store.queries import reading
from engine.store.rows import AuditEntry, Changes
from engine.store.writes import write


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert.

    Attributes:
        id: given by the engine, above all ids there are.
        run: the run that showed it first.
        last: when it was seen last.
        count: how often it was seen.
        told: when people were told of it last, None if they were not yet.
        end_told: when they were told that it is over.
        trouble: why it could not be told, where that was given up.
        acked: when somebody said that they know of it.
    """

    id: int
    job: str
    kind: str
    reason: str
    run: int | None
    since: datetime
    last: datetime
    count: int = 1
    told: datetime | None = None
    ended: datetime | None = None
    end_reason: str | None = None
    end_told: datetime | None = None
    trouble: str | None = None
    acked: datetime | None = None
    acked_by: str | None = None
    note: str | None = None


_NAMES = tuple(field.name for field in fields(AlertRow))
_ROW = select(*(ALERT.c[name] for name in _NAMES))


def save_alerts(
    connection: Connection, rows: Sequence[AlertRow], now: datetime, audit: AuditEntry | None = None
) -> None:
    """Write alerts, new or again, and an operator's action with them; work for `Journal.transact`."""
    replaced = tuple(name for name in _NAMES if name != "id")
    statement = upsert(connection.dialect.name, ALERT, ("id",), replaced)
    connection.execute(statement, [asdict(row) for row in rows])
    if audit is not None:
        write(connection, [Changes(audits=(audit,))], now)


class AlertQueries:
    """Questions about alerts. They block; the engine calls them in threads."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def open(self) -> list[AlertRow]:
        """Return the alerts that go on, and those of whose end nobody was told yet."""
        # The end of one that goes on is not told either.
        query = _ROW.where(ALERT.c.end_told.is_(None)).order_by(ALERT.c.id)
        with reading(self._reader) as connection:
            return [AlertRow(*row) for row in connection.execute(query)]

    def next_id(self) -> int:
        """Return an id above those of all alerts there are."""
        with reading(self._reader) as connection:
            return int(connection.scalar(select(func.max(ALERT.c.id))) or 0) + 1

    def alert(self, alert_id: int) -> AlertRow | None:
        """Return one alert, or None."""
        with reading(self._reader) as connection:
            row = connection.execute(_ROW.where(ALERT.c.id == alert_id)).first()
        return None if row is None else AlertRow(*row)

    def alerts(
        self, *, job: str | None = None, ended: bool = False, before: int | None = None, limit: int = 50
    ) -> list[AlertRow]:
        """Return alerts, the newest first.

        Args:
            ended: also those that are over.
            before: only alerts with an id below this one, for paging.
        """
        query = _ROW.order_by(ALERT.c.id.desc()).limit(limit)
        if not ended:
            query = query.where(ALERT.c.ended.is_(None))
        if job is not None:
            query = query.where(ALERT.c.job == job)
        if before is not None:
            query = query.where(ALERT.c.id < before)
        with reading(self._reader) as connection:
            return [AlertRow(*row) for row in connection.execute(query)]
