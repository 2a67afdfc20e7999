"""Reading the slot ledger: what became of the planned times of a job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, select

from engine.slots import Slot
from engine.states import Cause, Fate, Trigger
from engine.store.models import RUN, SLOT
from engine.store.queries import reading
from engine.views import RunView

_SLOT = select(*(SLOT.c[name] for name in Slot.__slots__))
_RUN_VIEW = select(*(RUN.c[name] for name in RunView.__slots__))


class SlotQueries:
    """Questions about planned times; all functions block for as long as the database takes."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def slots(
        self,
        job: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[Slot]:
        """Return slots of a job that lie at least in part in [since, until), the latest first."""
        chosen: list[ColumnElement[bool]] = [SLOT.c.job == job]
        if since is not None:
            chosen.append(SLOT.c.last_due >= since)
        if until is not None:
            chosen.append(SLOT.c.first_due < until)
        query = _SLOT.where(*chosen).order_by(SLOT.c.first_due.desc(), SLOT.c.noted.desc()).limit(limit)
        return [_slot(row) for row in self._rows(query)]

    def scheduled_runs(
        self,
        job: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        triggers: Sequence[Trigger] = (Trigger.SCHEDULE,),
    ) -> list[RunView]:
        """Return the runs that a job's schedule made for times in [since, until), the latest first.

        Args:
            triggers: what may have made them, if not only the schedule of the job's file.
        """
        wanted = [trigger.value for trigger in triggers]
        chosen: list[ColumnElement[bool]] = [RUN.c.job == job, RUN.c.trigger.in_(wanted)]
        if since is not None:
            chosen.append(RUN.c.due >= since)
        if until is not None:
            chosen.append(RUN.c.due < until)
        # The ids of a job's runs go with their times, and there is an index on them.
        query = _RUN_VIEW.where(*chosen).order_by(RUN.c.id.desc()).limit(limit)
        return [RunView(*row) for row in self._rows(query)]

    def newest(self, job: str) -> Slot | None:
        """Return a job's latest slot."""
        return next(iter(self.slots(job, limit=1)), None)

    def first_slot(self, job: str, since: datetime) -> Slot | None:
        """Return a job's first slot that begins at a time or after it."""
        query = _SLOT.where(SLOT.c.job == job, SLOT.c.first_due >= since).order_by(SLOT.c.first_due).limit(1)
        return next((_slot(row) for row in self._rows(query)), None)

    def first_scheduled_run(self, job: str, since: datetime) -> RunView | None:
        """Return the first run that a job's schedule made for a time, or one after it."""
        chosen = (RUN.c.job == job, RUN.c.trigger == Trigger.SCHEDULE.value, RUN.c.due >= since)
        query = _RUN_VIEW.where(*chosen).order_by(RUN.c.id).limit(1)
        return next((RunView(*row) for row in self._rows(query)), None)

    def _rows(self, query: Any) -> Sequence[Any]:
        with reading(self._reader) as connection:
            return connection.execute(query).all()


def _slot(row: Any) -> Slot:
    job, first, noted, last, count, fate, cause, reason, run_id = row
    return Slot(job, first, noted, last, count, Fate(fate), Cause(cause), reason, run_id)
