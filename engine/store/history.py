"""Questions about many runs: which there are, how many, and what they ran.

All of it blocks for as long as the database takes; the engine calls it in threads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, Table, func, select, text

from engine.runfilter import RunFilter, is_pattern
from engine.states import FINAL, RunStatus, Trigger
from engine.store.dialects import name_like
from engine.store.models import ASKED_FOR, ENDED_OTHERWISE, FOR_A_USER, JOB, PLANNED_RUN, RUN, SOURCE
from engine.store.queries import planned_run, planned_view, reading, select_planned_runs, select_run_views
from engine.store.search import goes_newest_first, matching, newest_matching, parse_phrases
from engine.views import RunView

#: In words this is `ENDED_OTHERWISE`.
OTHERWISE = frozenset(status.value for status in FINAL - {RunStatus.COMPLETE})

#: How far the clock of an engine may have been set back, at the most.
CLOCK_SET_BACK = timedelta(days=1)

#: Runs among which one is looked for whose id says when it was given.
PROBED = 100


class History:
    """Reads runs of the past, of now and of the time to come."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def find(
        self,
        wanted: RunFilter,
        *,
        among: Collection[str] | None = None,
        before_id: int | None = None,
        limit: int = 50,
    ) -> list[RunView]:
        """Return runs, the newest first.

        Args:
            among: only runs of these jobs.
            before_id: only runs with an id below this one. A run keeps its id, and new ones get higher ones:
                who asks for what is before the last of one page misses nothing and gets nothing twice.

        Raises:
            JobFileError: the text asked for holds no words.
        """
        views: list[RunView] = []
        if _wants_begun(wanted):
            views += self._begun(wanted, among, before_id, limit)
        if RunStatus.PLANNED in wanted.statuses and wanted.text is None:
            views += self._planned(wanted, among, before_id, limit)
        return sorted(views, key=lambda view: view.id, reverse=True)[:limit]

    def counts(self, wanted: RunFilter, *, among: Collection[str] | None = None) -> dict[str, int]:
        """Return how many such runs there are in each status that any of them has.

        Raises:
            JobFileError: the text asked for holds no words.
        """
        counts: Counter[str] = Counter()
        if _wants_begun(wanted):
            status = _counted_by(wanted)
            query = select(status, func.count()).where(*self._conditions(wanted, among))
            counts |= {row[0]: row[1] for row in self._rows(query.group_by(status))}
        if RunStatus.PLANNED in wanted.statuses and wanted.text is None:
            planned = select(func.count()).where(*self._conditions_of_planned(wanted, among))
            counts[RunStatus.PLANNED.value] = self._rows(planned.select_from(PLANNED_RUN))[0][0]
        return {status: count for status, count in counts.items() if count}

    def sources(self, hashes: Collection[str]) -> dict[str, str]:
        """Return the texts of sources by their hashes, as far as they are kept."""
        query = select(SOURCE.c.hash, SOURCE.c.text).where(SOURCE.c.hash.in_(hashes))
        return {row[0]: row[1] for row in self._rows(query)}

    def _begun(
        self, wanted: RunFilter, among: Collection[str] | None, before_id: int | None, limit: int
    ) -> list[RunView]:
        if wanted.until is not None:
            before_id = _lower(before_id, self._above_all_before(wanted.until))
        # Ids first: what has to be sorted or passed over on the way is then a number, not a whole row.
        ids = self._ids(wanted, among, before_id).limit(limit)
        query = select_run_views().where(RUN.c.id.in_(ids.correlate(None)))
        return [RunView(*row) for row in self._rows(query)]

    def _ids(self, wanted: RunFilter, among: Collection[str] | None, before_id: int | None) -> Select[Any]:
        if wanted.text is not None and goes_newest_first(self._reader.dialect.name):
            plain = replace(wanted, text=None)
            query = select(RUN.c.id).where(*self._conditions(plain, among))
            return newest_matching(query, parse_phrases(wanted.text), before_id)
        return _newest(select(RUN.c.id).where(*self._conditions(wanted, among)), RUN, before_id)

    def _above_all_before(self, moment: datetime) -> int | None:
        """Return an id that no run has that was queued before a moment, or None if none is known.

        Ids grow with time, and each run has its own before it is queued; one by schedule just then. So newer
        runs need not be gone through.
        """
        later = select(RUN.c.id, RUN.c.trigger).where(RUN.c.queued >= moment + CLOCK_SET_BACK)
        probed = self._rows(later.order_by(RUN.c.queued).limit(PROBED))
        return next((run_id for run_id, trigger in probed if trigger == Trigger.SCHEDULE.value), None)

    def _planned(
        self, wanted: RunFilter, among: Collection[str] | None, before_id: int | None, limit: int
    ) -> list[RunView]:
        query = select_planned_runs().where(*self._conditions_of_planned(wanted, among))
        rows = self._rows(_newest(query, PLANNED_RUN, before_id).limit(limit))
        return [planned_view(planned_run(row)) for row in rows]

    def _conditions(self, wanted: RunFilter, among: Collection[str] | None) -> list[Any]:
        conditions: list[Any] = self._common(wanted, RUN, among)
        # By conditions in words the database knows that an index of few runs has all of those.
        statuses = [status.value for status in wanted.statuses if status is not RunStatus.PLANNED]
        if statuses:
            conditions.append(_any_of(RUN.c.status, statuses))
        if wanted.job is not None and statuses and OTHERWISE.issuperset(statuses):
            conditions.append(text(f"run.{ENDED_OTHERWISE}"))
        if wanted.triggers and Trigger.SCHEDULE not in wanted.triggers:
            conditions.append(text(f"run.{ASKED_FOR}"))
        if wanted.user_id:
            conditions.append(text(f"run.{FOR_A_USER}"))
        if wanted.since is not None:
            conditions.append(RUN.c.queued >= wanted.since)
        if wanted.until is not None:
            conditions.append(RUN.c.queued < wanted.until)
        if wanted.text is not None:
            conditions += matching(self._reader.dialect.name, parse_phrases(wanted.text))
        return conditions

    def _conditions_of_planned(self, wanted: RunFilter, among: Collection[str] | None) -> list[Any]:
        conditions: list[Any] = self._common(wanted, PLANNED_RUN, among)
        if wanted.since is not None:
            conditions.append(PLANNED_RUN.c.due >= wanted.since)
        if wanted.until is not None:
            conditions.append(PLANNED_RUN.c.due < wanted.until)
        return conditions

    def _common(self, wanted: RunFilter, table: Table, among: Collection[str] | None) -> list[Any]:
        conditions: list[ColumnElement[bool]] = []
        if wanted.job is not None and is_pattern(wanted.job):
            dialect = self._reader.dialect.name
            names = select(JOB.c.name).where(name_like(dialect, JOB.c.name, wanted.job))
            conditions.append(table.c.job.in_(names))
        elif wanted.job is not None:
            conditions.append(table.c.job == wanted.job)
        if among is not None:
            conditions.append(_any_of(table.c.job, sorted(among)))
        if wanted.triggers:
            conditions.append(_any_of(table.c.trigger, [trigger.value for trigger in wanted.triggers]))
        if wanted.user_id is not None:
            conditions.append(table.c.user_id == wanted.user_id)
        return conditions

    def _rows(self, query: Select[Any]) -> list[Any]:
        with reading(self._reader) as connection:
            return list(connection.execute(query))


def _counted_by(wanted: RunFilter) -> ColumnElement[Any]:
    """Return what tells runs apart by their status.

    Of a span of time, SQLite would go through all runs in the order of their statuses: not so if that order
    is none of an index.
    """
    return func.coalesce(RUN.c.status, "") if wanted.since or wanted.until else RUN.c.status


def _wants_begun(wanted: RunFilter) -> bool:
    return not wanted.statuses or set(wanted.statuses) != {RunStatus.PLANNED}


def _newest(query: Select[Any], table: Table, before_id: int | None) -> Select[Any]:
    if before_id is not None:
        query = query.where(table.c.id < before_id)
    return query.order_by(table.c.id.desc())


def _lower(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


def _any_of(column: Any, values: list[str]) -> ColumnElement[bool]:
    # One value alone as an equation: the order of an index serves then, and nothing has to be sorted.
    condition: ColumnElement[bool] = column == values[0] if len(values) == 1 else column.in_(values)
    return condition
