"""What is kept for a time after it is over: alerts, the slot ledger, given schedules, the audit trail.

Only what is over is ever looked at, and nothing brings it back. The newest row of each table that counts its
rows stays, whatever its age: a number that was given once is never given again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    tuple_,
)

from engine.states import ScheduleStatus
from engine.store.models import ALERT, AUDIT, GIVEN_SCHEDULE, PLANNED_RUN, RUN, SLOT, UNFINISHED
from engine.store.queries import reading

#: Rows that are chosen at a time.
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Aged:
    """One kind of rows.

    Attributes:
        name: what people call them.
        is_over: says of a row that it was over before a time.
    """

    name: str
    table: Table
    is_over: Callable[[datetime], ColumnElement[bool]]

    @property
    def key(self) -> tuple[Column[Any], ...]:
        """The columns that tell one row from the others."""
        return tuple(self.table.primary_key.columns)


def _not_the_newest(table: Table) -> ColumnElement[bool]:
    newest = select(func.max(table.alias().c.id)).scalar_subquery()
    return table.c.id < newest


def _alert_is_over(oldest: datetime) -> ColumnElement[bool]:
    return and_(ALERT.c.ended < oldest, _not_the_newest(ALERT))


def _slot_is_over(oldest: datetime) -> ColumnElement[bool]:
    later = SLOT.alias()
    closed = exists().where(later.c.job == SLOT.c.job, later.c.first_due > SLOT.c.first_due)
    # One without a count holds until the next one of its job, which may not be there yet.
    return and_(SLOT.c.last_due < oldest, or_(SLOT.c.count.is_not(None), closed))


def _schedule_is_over(oldest: datetime) -> ColumnElement[bool]:
    given = GIVEN_SCHEDULE.c
    to_come = exists().where(PLANNED_RUN.c.schedule_id == given.id)
    going_on = exists().where(RUN.c.status.in_(UNFINISHED), RUN.c.schedule_id == given.id)
    single = and_(given.status == ScheduleStatus.ACTIVE.value, given.rule.is_(None), given.due < oldest)
    ended = and_(given.status != ScheduleStatus.ACTIVE.value, given.ended < oldest)
    return and_(or_(single, ended), ~to_come, ~going_on, _not_the_newest(GIVEN_SCHEDULE))


def _audit_is_over(oldest: datetime) -> ColumnElement[bool]:
    return and_(AUDIT.c.at < oldest, _not_the_newest(AUDIT))


ALERTS = Aged("alerts", ALERT, _alert_is_over)
SLOTS = Aged("slots", SLOT, _slot_is_over)
SCHEDULES = Aged("schedules", GIVEN_SCHEDULE, _schedule_is_over)
AUDITS = Aged("audit", AUDIT, _audit_is_over)
KINDS = (ALERTS, SLOTS, SCHEDULES, AUDITS)


class Aging:
    """Finds what is kept no longer; its functions block as those of `Queries` do."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def find(self, kind: Aged, oldest: datetime) -> list[tuple[Any, ...]]:
        """Return the keys of rows that were over before a time, some of them if they are many."""
        query = select(*kind.key).where(kind.is_over(oldest)).limit(PAGE)
        with reading(self._reader) as connection:
            return [tuple(row) for row in connection.execute(query)]


def remove_aged(connection: Connection, kind: Aged, keys: Sequence[tuple[Any, ...]], oldest: datetime) -> int:
    """Remove rows that are still over; return how many there were."""
    chosen = kind.key[0].in_([key[0] for key in keys]) if len(kind.key) == 1 else tuple_(*kind.key).in_(keys)
    return connection.execute(delete(kind.table).where(chosen, kind.is_over(oldest))).rowcount
