"""Reading what is committed: plain values, in as few statements as there are questions.

All functions block for as long as the database takes; the engine calls them in threads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine.errors import StoreUnavailable
from engine.states import RunStatus, Trigger
from engine.store.dialects import translate
from engine.store.models import JOB, LOG_LINE, PLANNED_RUN, RUN, SOURCE
from engine.store.rows import JobRow, PlannedRun, PlannedTime
from engine.views import LogLineView, RunView

# In the order of the values' own fields, which makes a value of each row without looking at names.
# What is not stored of a run comes last in its view, and has a default.
_RUN_VIEW = select(*(RUN.c[name] for name in RunView.__slots__ if name in RUN.c))
_PLANNED_RUN = select(*(PLANNED_RUN.c[name] for name in PlannedRun.__slots__))
_PLANNED_TIME = select(*(PLANNED_RUN.c[name] for name in PlannedTime.__slots__))
_JOB_ROW = select(*(JOB.c[name] for name in JobRow.__slots__)).order_by(JOB.c.name)
_LINE_VIEW = select(*(LOG_LINE.c[name] for name in LogLineView.__slots__)).order_by(LOG_LINE.c.number)


class Queries:
    """Questions to the database."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def run(self, run_id: int) -> RunView | None:
        """Return a run, planned ones included, or None."""
        return self._begun_run(run_id) or self._run_to_come(run_id)

    def _begun_run(self, run_id: int) -> RunView | None:
        return next(iter(self._run_views(_RUN_VIEW.where(RUN.c.id == run_id))), None)

    def _run_to_come(self, run_id: int) -> RunView | None:
        planned = self.planned_run(run_id)
        # One that is in neither table went from one to the other between the two looks.
        return planned_view(planned) if planned else self._begun_run(run_id)

    def runs(
        self,
        *,
        job: str | None = None,
        status: RunStatus | None = None,
        before_id: int | None = None,
        limit: int = 50,
    ) -> list[RunView]:
        """Return runs, the newest first.

        Args:
            job: only the runs of this job.
            status: only runs that stand there; those that are PLANNED are left out without it.
            before_id: only runs with an id below this one, for paging.
        """
        if status is RunStatus.PLANNED:
            planned = _newest(_PLANNED_RUN, PLANNED_RUN, job, before_id).limit(limit)
            return [planned_view(planned_run(row)) for row in self._rows(planned)]
        query = _newest(_RUN_VIEW, RUN, job, before_id).limit(limit)
        if status is not None:
            query = query.where(RUN.c.status == status.value)
        return self._run_views(query)

    def planned_run(self, run_id: int) -> PlannedRun | None:
        """Return a run to come, or None."""
        rows = self._rows(_PLANNED_RUN.where(PLANNED_RUN.c.id == run_id))
        return planned_run(rows[0]) if rows else None

    def planned_times(self) -> list[PlannedTime]:
        """Return what is held in memory of every run to come."""
        return [PlannedTime(*row) for row in self._rows(_PLANNED_TIME)]

    def last_run(self, job: str) -> RunView | None:
        """Return a job's newest run, or None."""
        return next(iter(self.runs(job=job, limit=1)), None)

    def log(self, run_id: int, *, after: int = 0, limit: int = 1000) -> list[LogLineView]:
        """Return lines of a run's log, in order.

        Args:
            after: only lines with a number above this one.
        """
        chosen = (LOG_LINE.c.run_id == run_id, LOG_LINE.c.number > after)
        return [LogLineView(*row) for row in self._rows(_LINE_VIEW.where(*chosen).limit(limit))]

    def jobs(self, names: Collection[str] | None = None) -> list[JobRow]:
        """Return the rows of all jobs ever seen, in the order of their names.

        Args:
            names: only these jobs; a few, as each one is looked up.
        """
        query = _JOB_ROW if names is None else _JOB_ROW.where(JOB.c.name.in_(names))
        return [JobRow(*row) for row in self._rows(query)]

    def source(self, source_hash: str) -> str | None:
        """Return the text of a job file as some run used it, or None."""
        rows = self._rows(select(SOURCE.c.text).where(SOURCE.c.hash == source_hash))
        return rows[0][0] if rows else None

    def _run_views(self, query: Select[Any]) -> list[RunView]:
        return [RunView(*row) for row in self._rows(query)]

    def _rows(self, query: Select[Any]) -> list[Any]:
        with reading(self._reader) as connection:
            return list(connection.execute(query))


def _newest(query: Select[Any], table: Table, job: str | None, before_id: int | None) -> Select[Any]:
    query = query.order_by(table.c.id.desc())
    if job is not None:
        query = query.where(table.c.job == job)
    if before_id is not None:
        query = query.where(table.c.id < before_id)
    return query


def select_run_views() -> Select[Any]:
    """Return a query whose rows are the fields of `RunView`, in their order."""
    return _RUN_VIEW


def select_planned_runs() -> Select[Any]:
    """Return a query whose rows are what `planned_run` takes."""
    return _PLANNED_RUN


def planned_run(row: Any) -> PlannedRun:
    """Return a row as the run to come that it holds."""
    planned = PlannedRun(*row)
    first = Trigger(planned.first_trigger) if planned.first_trigger else None
    return replace(planned, trigger=Trigger(planned.trigger), first_trigger=first)


def planned_view(planned: PlannedRun) -> RunView:
    """Return a run to come as lists show it."""
    return RunView(
        id=planned.id,
        job=planned.job,
        status=RunStatus.PLANNED.value,
        returned=None,
        trigger=planned.trigger.value,
        attempt=planned.attempt,
        due=planned.due,
        started=None,
        finished=None,
        duration_ms=None,
        error=None,
        result=None,
        info=None,
        data=planned.data,
        user_id=planned.user_id,
        called_by=planned.called_by,
        rescheduled_from=planned.rescheduled_from,
        schedule_id=planned.schedule_id,
    )


@contextmanager
def reading(reader: Engine) -> Iterator[Connection]:
    """Borrow a connection that only reads.

    Raises:
        StoreUnavailable: the database cannot be read now.
        StoreError: it refused the question.
    """
    try:
        with reader.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise translate(error) from error
    except PoolTimeout as error:
        raise StoreUnavailable("all connections that read the database are busy; try again") from error
