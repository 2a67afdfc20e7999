"""The operators' questions about planned times: the slot ledger of a job."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from engine.catalog import Catalog
from engine.clock import Clock
from engine.hindsight import Known, merged, why
from engine.job import Job
from engine.states import Cause, Trigger
from engine.store.slotqueries import SlotQueries
from engine.views import SlotView, WhyView

#: Causes where the run that was made just before stands for the time.
_SERVED = frozenset({Cause.OVERLAP.value, Cause.CLOCK.value})

#: What plans times whose runs are entries of the ledger: the file's schedule, and those given at run time.
PLANNED_BY = (Trigger.SCHEDULE, Trigger.GIVEN)

_TICK = timedelta(microseconds=1)


class LedgerDesk:
    """Answers what became of planned times (see `engine.api.operations.LedgerOperations`)."""

    def __init__(self, *, clock: Clock, catalog: Catalog, queries: SlotQueries) -> None:
        self._clock = clock
        self._catalog = catalog
        self._queries = queries

    async def slots(
        self, job: str, *, since: datetime | None = None, until: datetime | None = None, limit: int = 50
    ) -> list[SlotView]:
        """Return what became of a job's planned times, the latest first."""
        span = {"since": since, "until": until}
        slots = await asyncio.to_thread(self._queries.slots, job, **span, limit=limit)
        runs = await asyncio.to_thread(
            self._queries.scheduled_runs, job, **span, limit=limit, triggers=PLANNED_BY
        )
        if not slots and not runs:
            self._catalog.job(job)
        return merged(slots, runs, limit)

    async def why(self, job: str, *, at: datetime, within_seconds: float = 60.0) -> WhyView:
        """Return what became of the first time that was planned for a job from `at` on."""
        until = at + timedelta(seconds=within_seconds)
        present = self._catalog.jobs.get(job)
        known = await asyncio.to_thread(self._known, job, present, at, until)
        if present is None and not any((known.slots, known.runs, known.slot_before, known.run_before)):
            self._catalog.job(job)
        view = why(known, at, until, self._clock.now())
        return await asyncio.to_thread(self._with_runs, view)

    def _known(self, job: str, present: Job | None, at: datetime, until: datetime) -> Known:
        queries = self._queries
        return Known(
            job=job,
            state=present.state if present else None,
            schedule=present.schedule if present else None,
            blackout=present.blackout if present else None,
            slots=queries.slots(job, since=at, until=until),
            runs=queries.scheduled_runs(job, since=at, until=until, triggers=PLANNED_BY),
            slot_before=next(iter(queries.slots(job, until=at, limit=1)), None),
            run_before=next(iter(queries.scheduled_runs(job, until=at, limit=1)), None),
            slot_after=queries.first_slot(job, until),
            run_after=queries.first_scheduled_run(job, until),
        )

    def _with_runs(self, view: WhyView) -> WhyView:
        """Return the answer with the runs that stand for times without their own."""
        return replace(view, found=[self._with_run(one) for one in view.found])

    def _with_run(self, slot: SlotView) -> SlotView:
        if slot.cause not in _SERVED or slot.run is not None:
            return slot
        earlier = self._queries.scheduled_runs(slot.job, until=slot.due + _TICK, limit=1)
        return replace(slot, run=earlier[0].id) if earlier else slot
