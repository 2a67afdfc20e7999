"""What jobs keep from one run to the next: one value that goes with a COMPLETE run, and one that stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Connection, Engine, delete, select

from engine.states import RunStatus
from engine.store.dialects import upsert
from engine.store.journal import Journal
from engine.store.models import JOB_STATE
from engine.store.queries import reading
from engine.store.rows import AuditEntry
from engine.store.writes import write_audit
from engine.times.clock import Clock
from engine.views import StateView

_VIEW = select(*(JOB_STATE.c[name] for name in StateView.__slots__))
_REPLACED = ("value", "updated", "run_id")


class JobStates:
    """The state of all jobs: writes go through the journal, reads through threads."""

    def __init__(self, journal: Journal, reader: Engine, *, clock: Clock, held: Collection[str]) -> None:
        """Make it.

        Args:
            held: the jobs that keep a value until a run of theirs ends COMPLETE (see `jobs_with_state`).
        """
        self._journal = journal
        self._reader = reader
        self._clock = clock
        self._held = set(held)

    async def view(self, job: str, *, lasting: bool) -> StateView:
        """Return what a job keeps, and since when; its value is None if that is nothing."""
        return await asyncio.to_thread(self._view, job, lasting)

    async def keep(
        self,
        job: str,
        value: Any,
        *,
        lasting: bool,
        run_id: int | None = None,
        audit: AuditEntry | None = None,
    ) -> None:
        """Keep a value in place of the one there is; returns once it is durable.

        Args:
            value: ready for JSON; None keeps nothing any more.
            run_id: the run that asks, None for an operator.
            audit: goes into the same transaction.

        Raises:
            StoreUnavailable: the database takes no writes now.
        """
        self._journal.check_available()
        if not lasting and value is not None:
            # Before the commit: a run that ends right after it must not leave the value behind.
            self._held.add(job)
        await self._journal.transact(self._write(job, value, lasting, run_id, audit))

    def goes_with(self, job: str, status: RunStatus) -> bool:
        """Return whether the end of a run takes away what its job keeps; the caller does so."""
        if status is not RunStatus.COMPLETE or job not in self._held:
            return False
        self._held.discard(job)
        return True

    def _view(self, job: str, lasting: bool) -> StateView:
        chosen = _VIEW.where(JOB_STATE.c.job == job, JOB_STATE.c.lasting.is_(lasting))
        with reading(self._reader) as connection:
            row = connection.execute(chosen).first()
        return StateView(*row) if row else StateView(job, lasting)

    def _write(
        self, job: str, value: Any, lasting: bool, run_id: int | None, audit: AuditEntry | None
    ) -> Callable[[Connection], None]:
        now = self._clock.now()

        def work(connection: Connection) -> None:
            if value is None:
                connection.execute(
                    delete(JOB_STATE).where(JOB_STATE.c.job == job, JOB_STATE.c.lasting.is_(lasting))
                )
            else:
                row = {"job": job, "lasting": lasting, "value": value, "updated": now, "run_id": run_id}
                statement = upsert(connection.dialect.name, JOB_STATE, ("job", "lasting"), _REPLACED)
                connection.execute(statement, row)
            if audit is not None:
                write_audit(connection, audit)

        return work


def jobs_with_state(connection: Connection) -> set[str]:
    """Return the jobs that keep a value until a run of theirs ends COMPLETE."""
    return set(connection.scalars(select(JOB_STATE.c.job).where(JOB_STATE.c.lasting.is_(False))))
