"""Reading the slot ledger: what became of the planned times of a job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, bindparam, select

from engine.rules.slots import Slot
from engine.states import Cause, Fate, Trigger
from engine.store.models import RUN, SLOT
from engine.store.queries import reading, select_run_views
from engine.views import RunView

_SLOT = select(*(SLOT.c[name] for name in Slot.__slots__))

#: Slots of the schedules of job files, and those of schedules given at run time.
OF_FILE = SLOT.c.schedule_id.is_(None)
OF_GIVEN = SLOT.c.schedule_id.is_not(None)


class SlotQueries:
    """Questions about planned times; all functions block for as long as the database takes."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def slots(
        self,
        job: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[Slot]:
        """Return slots of a job, or of all, that lie at least in part in [since, until), the latest first."""
        chosen: list[ColumnElement[bool]] = [] if job is None else [SLOT.c.job == job]
        if since is not None:
            chosen.append(SLOT.c.last_due >= since)
        if until is not None:
            chosen.append(SLOT.c.first_due < until)
        query = _latest_first(_SLOT.where(*chosen)).limit(limit)
        return [_slot(row) for row in self._rows(query)]

    def scheduled_runs(
        self,
        job: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        triggers: Sequence[Trigger] = (Trigger.SCHEDULE,),
    ) -> list[RunView]:
        """Return the runs that a job's schedule, or any, made for times in [since, until), the latest first.

        Args:
            triggers: what may have made them, if not only the schedule of the job's file.
        """
        wanted = [trigger.value for trigger in triggers]
        chosen: list[ColumnElement[bool]] = [RUN.c.trigger.in_(wanted)]
        if job is not None:
            chosen.append(RUN.c.job == job)
        if since is not None:
            chosen.append(RUN.c.due >= since)
        if until is not None:
            chosen.append(RUN.c.due < until)
        # The ids of a job's runs go with their times, and there is an index on them.
        query = select_run_views().where(*chosen).order_by(RUN.c.id.desc()).limit(limit)
        return [RunView(*row) for row in self._rows(query)]

    def newest(self, job: str, schedule_id: int | None = None) -> Slot | None:
        """Return the latest slot of a job's own schedule, or of one that was given at run time."""
        query = _SLOT.where(SLOT.c.job == job, SLOT.c.schedule_id.is_not_distinct_from(schedule_id))
        return next((_slot(row) for row in self._rows(_latest_first(query).limit(1))), None)

    def newest_of(self, jobs: Iterable[str]) -> dict[str, Slot]:
        """Return the slot of each of some jobs that was noted last, by job, where there is one.

        Those of schedules given at run time do not count, nor do times that were replaced before they came.
        """
        own = _SLOT.where(SLOT.c.job == bindparam("wanted"), OF_FILE)
        passed = own.where(SLOT.c.fate != Fate.SUPERSEDED.value)
        query = passed.order_by(SLOT.c.noted.desc(), SLOT.c.first_due.desc()).limit(1)
        with reading(self._reader) as connection:
            rows = (connection.execute(query, {"wanted": job}).first() for job in jobs)
            return {row[0]: _slot(row) for row in rows if row is not None}

    def first_slot(self, job: str, since: datetime) -> Slot | None:
        """Return a job's first slot that begins at a time or after it."""
        query = _SLOT.where(SLOT.c.job == job, SLOT.c.first_due >= since).order_by(SLOT.c.first_due).limit(1)
        return next((_slot(row) for row in self._rows(query)), None)

    def last_slot(self, job: str, until: datetime, of: ColumnElement[bool]) -> Slot | None:
        """Return a job's last slot that begins before a time.

        Args:
            of: which ones count, OF_FILE or OF_GIVEN.
        """
        query = _latest_first(_SLOT.where(SLOT.c.job == job, SLOT.c.first_due < until, of)).limit(1)
        return next((_slot(row) for row in self._rows(query)), None)

    def first_scheduled_run(
        self, job: str, since: datetime, triggers: Sequence[Trigger] = (Trigger.SCHEDULE,)
    ) -> RunView | None:
        """Return the first run that a job's schedule made for a time, or one after it.

        Args:
            triggers: what may have made it, if not only the schedule of the job's file.
        """
        wanted = [trigger.value for trigger in triggers]
        chosen = (RUN.c.job == job, RUN.c.trigger.in_(wanted), RUN.c.due >= since)
        query = select_run_views().where(*chosen).order_by(RUN.c.id).limit(1)
        return next((RunView(*row) for row in self._rows(query)), None)

    def _rows(self, query: Any) -> Sequence[Any]:
        with reading(self._reader) as connection:
            return connection.execute(query).all()


def _latest_first(query: Select[Any]) -> Select[Any]:
    return query.order_by(SLOT.c.first_due.desc(), SLOT.c.noted.desc())


def _slot(row: Any) -> Slot:
    slot = Slot(*row)
    return replace(slot, fate=Fate(slot.fate), cause=Cause(slot.cause))
