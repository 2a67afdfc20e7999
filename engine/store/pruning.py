"""Which runs are kept no longer, and how they are removed with all that belongs to them.

Only runs that have ended are ever looked at: nothing follows on an end, so what is chosen stays removable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Text, and_, cast, delete, func, or_, select

from engine.run import Retention
from engine.states import FAILED, FINAL
from engine.store.models import LOG_LINE, RUN, SOURCE
from engine.store.months import Month, month_to_remove, tables_left, wants_new_month
from engine.store.queries import reading
from engine.store.search import forget_runs

#: Runs that are chosen at a time.
PAGE = 5000

_FAILED = sorted(status.value for status in FAILED)
_WENT = sorted(status.value for status in FINAL - FAILED)
_ENDED = sorted(status.value for status in FINAL)


class Pruning:
    """Finds what can be removed."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def runs(self, kept: Retention, now: datetime) -> list[tuple[int, int]]:
        """Return ids of ended runs that are kept no longer, with their numbers of log lines.

        Returns:
            some thousands at most; none when all that are left are kept.
        """
        with reading(self._reader) as connection:
            found: dict[int, int] = {}
            for condition in _conditions(connection, kept, now):
                query = select(RUN.c.id, RUN.c.log_lines).where(*condition).limit(PAGE)
                found.update((row[0], row[1]) for row in connection.execute(query))
                if len(found) >= PAGE:
                    break
            return sorted(found.items())

    def month(self, kept: Retention, now: datetime) -> Month | None:
        """Return a whole part of the history of which few runs are kept, or None."""
        if not (kept.age_seconds or kept.failed_age_seconds):
            return None
        with reading(self._reader) as connection:
            return month_to_remove(connection, _is_over(kept, now))

    def tables_left(self) -> list[str]:
        """Return the tables of months that were taken out of the history."""
        with reading(self._reader) as connection:
            return tables_left(connection)

    def wants_new_month(self, now: datetime) -> bool:
        """Return whether the newest part of the history is of a month that is over."""
        with reading(self._reader) as connection:
            return wants_new_month(connection, now)

    def unused_sources(self) -> set[str]:
        """Return the hashes of sources that no run ran."""
        with reading(self._reader) as connection:
            known = set(connection.scalars(select(SOURCE.c.hash)))
            known -= set(connection.scalars(select(RUN.c.source_hash).distinct()))
            modules = select(cast(RUN.c.modules, Text)).where(RUN.c.modules.is_not(None)).distinct()
            for text in connection.scalars(modules):
                known -= set(msgspec.json.decode(text, type=dict[str, str]).values())
            return known


def remove_runs(connection: Connection, run_ids: Sequence[int]) -> int:
    """Remove ended runs with their logs and their words; return how many there were."""
    chosen = select(RUN.c.id).where(RUN.c.id.in_(run_ids), RUN.c.status.in_(_ENDED))
    ended = list(connection.scalars(chosen))
    if ended:
        forget_runs(connection, ended)
        connection.execute(delete(LOG_LINE).where(LOG_LINE.c.run_id.in_(ended)))
        connection.execute(delete(RUN).where(RUN.c.id.in_(ended)))
    return len(ended)


def remove_sources(connection: Connection, hashes: Sequence[str]) -> int:
    """Remove sources; return how many there were."""
    return connection.execute(delete(SOURCE).where(SOURCE.c.hash.in_(hashes))).rowcount


def _conditions(connection: Connection, kept: Retention, now: datetime) -> Iterator[tuple[Any, ...]]:
    """Yield what each reason to remove runs asks of them."""
    yield RUN.c.remove_at <= now, _status_in(_ENDED)
    for statuses, age_seconds, runs in (
        (_WENT, kept.age_seconds, kept.runs),
        (_FAILED, kept.failed_age_seconds, kept.failed_runs),
    ):
        if age_seconds:
            oldest = now - timedelta(seconds=age_seconds)
            # A run is queued before it ends, and that time has an index: that of statuses, which SQLite
            # would take, has nearly all runs.
            yield (
                RUN.c.queued < oldest,
                RUN.c.finished < oldest,
                func.coalesce(RUN.c.status, "").in_(statuses),
            )
        if runs:
            yield from _beyond(connection, statuses, runs)


def _is_over(kept: Retention, now: datetime) -> ColumnElement[bool]:
    """Return the condition that a run is kept no longer, whatever the number of such runs."""
    reasons = [RUN.c.remove_at <= now]
    for statuses, age_seconds in ((_WENT, kept.age_seconds), (_FAILED, kept.failed_age_seconds)):
        if age_seconds:
            ended_before = RUN.c.finished < now - timedelta(seconds=age_seconds)
            reasons.append(and_(ended_before, RUN.c.status.in_(statuses)))
    return and_(RUN.c.status.in_(_ENDED), or_(*reasons))


def _beyond(connection: Connection, statuses: list[str], runs: int) -> Iterator[tuple[Any, ...]]:
    """Yield for each job with more such runs than are kept the condition on those that are too many."""
    # Jobs with so many runs of any status: the index of jobs tells, and no row has to be read.
    many = select(RUN.c.job).group_by(RUN.c.job).having(func.count() > runs)
    for job in list(connection.scalars(many)):
        of_job = (RUN.c.job == job, _status_in(statuses))
        newest = select(RUN.c.id).where(*of_job).order_by(RUN.c.id.desc()).offset(runs).limit(1)
        first = connection.scalar(newest)
        if first is not None:
            yield *of_job, RUN.c.id <= first


def _status_in(statuses: list[str]) -> ColumnElement[bool]:
    """Return a condition for which SQLite does not take the index of statuses: nearly all runs are in it."""
    return func.coalesce(RUN.c.status, "").in_(statuses)
