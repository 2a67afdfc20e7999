"""Making up for due times that passed while no engine ran (`run_skipped`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import islice, takewhile

from engine.job import Job
from engine.plan import coming_after
from engine.slots import Slot
from engine.states import Fate, Trigger
from engine.store.rows import PlannedRun

#: Missed times that are looked at one by one for one outside all blackouts.
MOST_LOOKED_AT = 1000


def catch_up(job: Job, new_id: Callable[[], int], now: datetime) -> PlannedRun | None:
    """Return the one run that makes up for all that a job missed, or None if it does not want it.

    The slot of the missed times, which is on its way to the journal, names the run from now on. There is
    none if all missed times lie in blackouts.
    """
    missed = next((slot for slot in job.slots if slot.fate is Fate.MISSED), None)
    if missed is None or job.settings is None or not job.settings.run_skipped:
        return None
    if all(job.blackout and job.blackout.window_at(due) for due in _times(job, missed)):
        return None
    run = PlannedRun(id=new_id(), job=job.name, due=missed.last_due, planned_at=now, trigger=Trigger.MISSED)
    job.slots = tuple(replace(slot, run_id=run.id) if slot is missed else slot for slot in job.slots)
    return run


def _times(job: Job, missed: Slot) -> list[datetime]:
    """Return the missed times, or the first thousand of them."""
    later = coming_after(job.schedule, missed.first_due) if job.schedule else iter(())
    known = takewhile(lambda due: due < missed.last_due, later)
    return [missed.first_due, *islice(known, MOST_LOOKED_AT), missed.last_due]
