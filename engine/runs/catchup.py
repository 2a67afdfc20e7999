"""Making up for due times that passed while no engine ran, or while the job was held (`run_skipped`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import islice, takewhile

from engine.rules.slots import Slot
from engine.runs.job import Job, LastRun
from engine.states import Cause, Fate, Trigger
from engine.store.rows import PlannedRun
from engine.times.blackout import Blackout
from engine.times.plan import coming_after
from engine.times.schedule import Schedule

#: Missed times that are looked at one by one for one outside all blackouts.
MOST_LOOKED_AT = 1000


#: Why times pass that are made up for once that is over.
MADE_UP = frozenset({Cause.DOWN, Cause.PAUSED, Cause.GROUP})


def catch_up(job: Job, new_id: Callable[[], int], now: datetime) -> PlannedRun | None:
    """Return the one run that makes up for all that a job missed while no engine ran, None for none.

    The slot of the missed times, which is on its way to the journal, names the run from now on. There is
    none if all missed times lie in blackouts.
    """
    missed = next((slot for slot in job.slots if slot.fate is Fate.MISSED), None)
    if missed is None or (run := make_up(job, missed, new_id, now)) is None:
        return None
    job.slots = tuple(replace(slot, run_id=run.id) if slot is missed else slot for slot in job.slots)
    return run


def make_up(job: Job, slot: Slot, new_id: Callable[[], int], now: datetime) -> PlannedRun | None:
    """Return the one run that makes up for the times of a slot, or None if the job does not want it."""
    if job.settings is None or not job.settings.run_skipped:
        return None
    if in_blackouts(slot, job.schedule, job.blackout):
        return None
    return PlannedRun(id=new_id(), job=job.name, due=slot.last_due, planned_at=now, trigger=Trigger.MISSED)


def in_blackouts(slot: Slot, schedule: Schedule | None, blackout: Blackout | None) -> bool:
    """Return whether all times of a slot lie in blackouts, so that nothing is to be made up for.

    Args:
        schedule: what planned them.
    """
    return blackout is not None and all(blackout.window_at(due) for due in _times(slot, schedule))


def is_open(newest: Slot, last: LastRun | None) -> bool:
    """Return whether no run stands yet for the latest times of a job, which passed while it was held.

    Args:
        newest: the job's latest slot.
        last: the last run that the job had before it was let go.
    """
    if newest.cause not in MADE_UP or newest.run_id is not None:
        return False
    return last is None or last.started <= newest.last_due


def _times(missed: Slot, schedule: Schedule | None) -> list[datetime]:
    """Return the missed times, or the first thousand of them."""
    later = coming_after(schedule, missed.first_due) if schedule else iter(())
    known = takewhile(lambda due: due < missed.last_due, later)
    return [missed.first_due, *islice(known, MOST_LOOKED_AT), missed.last_due]
