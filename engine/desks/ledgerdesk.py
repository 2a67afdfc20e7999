"""The operators' questions about planned times: the slot ledger of a job."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from engine.catalog.catalog import Catalog
from engine.desks.scheduledesk import ScheduleDesk
from engine.rules.forecast import no_run_while
from engine.rules.hindsight import Known, merged, why
from engine.rules.holds import Holds
from engine.runs.job import Job
from engine.states import Cause, Fate, Trigger
from engine.store.slotqueries import OF_FILE, OF_GIVEN, SlotQueries
from engine.times.clock import Clock
from engine.views import ComingView, SlotView, WhyView

#: Causes where the run that was made just before stands for the time.
_SERVED = frozenset({Cause.OVERLAP.value, Cause.CLOCK.value})

#: What plans times whose runs are entries of the ledger: the file's schedule, and those given at run time.
PLANNED_BY = (Trigger.SCHEDULE, Trigger.GIVEN)

_TICK = timedelta(microseconds=1)


class LedgerDesk:
    """Answers what became of planned times (see `engine.api.operations.LedgerOperations`)."""

    def __init__(
        self, *, clock: Clock, catalog: Catalog, queries: SlotQueries, schedules: ScheduleDesk, held: Holds
    ) -> None:
        """Make a desk.

        Args:
            schedules: knows the times to come of schedules given at run time.
            held: what keeps jobs from running.
        """
        self._schedules = schedules
        self._held = held
        self._clock = clock
        self._catalog = catalog
        self._queries = queries

    async def slots(
        self,
        job: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> list[SlotView]:
        """Return what became of the planned times of a job, or of all, the latest first."""
        span = {"since": since, "until": until}
        slots = await asyncio.to_thread(self._queries.slots, job, **span, limit=limit)
        runs = await asyncio.to_thread(
            self._queries.scheduled_runs, job, **span, limit=limit, triggers=PLANNED_BY
        )
        if job is not None and not slots and not runs:
            self._catalog.job(job)
        return merged(slots, runs, limit)

    async def why(self, job: str, *, at: datetime, within_seconds: float = 60.0) -> WhyView:
        """Return what became of the first time that was planned for a job from `at` on."""
        until = at + timedelta(seconds=within_seconds)
        present = self._catalog.jobs.get(job)
        to_come = self._given_to_come(job, at, until)
        known = await asyncio.to_thread(self._known, job, present, at, until, to_come)
        if present is None and not any((known.slots, known.runs, known.slot_before, known.run_before)):
            self._catalog.job(job)
        view = await asyncio.to_thread(self._with_runs, why(known, at, until, self._clock.now()))
        before, after = self._with_hold(view.before), self._with_hold(view.after)
        found = [one for slot in view.found if (one := self._with_hold(slot)) is not None]
        return replace(view, found=found, before=before, after=after)

    def _known(
        self, job: str, present: Job | None, at: datetime, until: datetime, given_to_come: list[ComingView]
    ) -> Known:
        queries = self._queries
        return Known(
            job=job,
            state=present.state if present else None,
            schedule=present.schedule if present else None,
            blackout=present.blackout if present else None,
            slots=queries.slots(job, since=at, until=until),
            runs=queries.scheduled_runs(job, since=at, until=until, triggers=PLANNED_BY),
            slot_before=queries.last_slot(job, at, OF_FILE),
            run_before=next(iter(queries.scheduled_runs(job, until=at, limit=1)), None),
            slot_after=queries.first_slot(job, until),
            run_after=queries.first_scheduled_run(job, until, PLANNED_BY),
            given_slot_before=queries.last_slot(job, at, OF_GIVEN),
            given_run_before=next(
                iter(queries.scheduled_runs(job, until=at, limit=1, triggers=(Trigger.GIVEN,))), None
            ),
            given=dict(self._schedules.repeating(job)),
            given_to_come=given_to_come,
        )

    def _given_to_come(self, job: str, at: datetime, until: datetime) -> list[ComingView]:
        """Return the first time of given schedules from `at` on, and the first from `until` on."""
        return [
            view for since in (at, until) for view in self._schedules.coming(job=job, since=since, count=1)
        ]

    def _with_hold(self, slot: SlotView | None) -> SlotView | None:
        """Return a time to come with what will keep the job from running then, as things stand now."""
        if slot is None or slot.fate != Fate.PLANNED:
            return slot
        present = self._catalog.jobs.get(slot.job)
        hold = self._held.at(slot.job, present.settings if present else None, slot.due)
        if hold is None:
            return slot
        return replace(slot, reason="; ".join([no_run_while(hold.words()), *filter(None, [slot.reason])]))

    def _with_runs(self, view: WhyView) -> WhyView:
        """Return the answer with the runs that stand for times without their own."""
        return replace(view, found=[self._with_run(one) for one in view.found])

    def _with_run(self, slot: SlotView) -> SlotView:
        if slot.cause not in _SERVED or slot.run is not None or slot.schedule_id is not None:
            return slot
        earlier = self._queries.scheduled_runs(slot.job, until=slot.due + _TICK, limit=1)
        return replace(slot, run=earlier[0].id) if earlier else slot
