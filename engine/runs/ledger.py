"""Notes into the slot ledger: each planned time that ends without a run leaves its reason with its job.

What is noted waits at the job for the next patch of its row (see `engine.runs.jobrows.patch_of`), so that it
is committed together with the change that it belongs to, in no transaction of its own.
"""

from __future__ import annotations

from datetime import datetime

from engine.rules import slots
from engine.rules.lifecycle import JobState, Missed
from engine.rules.slots import Skip, Slot
from engine.runs.job import Job
from engine.states import Cause

#: Why times pass for as long as a hold lasts.
_HELD = frozenset({Cause.PAUSED, Cause.GROUP})


def in_blackout(job: Job, due: datetime) -> Skip | None:
    """Return why a due time in a blackout of its job makes no run; None for any other."""
    window = job.blackout.window_at(due) if job.blackout else None
    return Skip(Cause.BLACKOUT, f"the blackout {window.text}") if window else None


def note_skipped(job: Job, due: datetime, skip: Skip, now: datetime) -> None:
    """Note that a due time makes no run; the caller writes the job's patch.

    Args:
        skip: why; the same words at the next due time let one entry grow instead of making another.
    """
    job.skipping = slots.skipped(job.name, due, skip, now, job.skipping)
    _note(job, job.skipping)


def note_overtaken(job: Job, due: datetime, now: datetime) -> None:
    """Note the due times after `due` that have passed as well when it is served late.

    Where a hold kept that one from running, no run stands for them: the hold kept them from it too.
    """
    slot = slots.overtaken(job.name, job.schedule, due, now)
    if slot is not None and job.skipping is not None and job.skipping.cause in _HELD:
        job.skipping = slots.grown(job.skipping, slot)
        _note(job, job.skipping)
    elif slot is not None:
        _note_last(job, slot)


def note_missed(job: Job, first: datetime, missed: Missed, now: datetime, run_id: int | None = None) -> None:
    """Note the due times that passed while no engine ran.

    Args:
        run_id: the run that makes up for them.
    """
    _note_last(job, slots.missed(job.name, first, missed, now, run_id))


def note_given_up(job: Job, before: JobState, now: datetime, why: str = slots.RESCHEDULED) -> None:
    """Note the time that was planned before the job's state changed to what it is, if it is no longer."""
    slot = slots.given_up(job.name, before, job.state, job.schedule, now, why)
    if slot is not None:
        _note_last(job, slot)


def note_removed(job: Job, now: datetime) -> None:
    """Note the time that was planned for a job whose file is gone."""
    slot = slots.removed(job.name, job.state, now)
    if slot is not None:
        _note_last(job, slot)


def hand_over(job: Job) -> tuple[Slot, ...]:
    """Return what was noted since the last time, for the journal."""
    noted, job.slots = job.slots, ()
    return noted


def _note_last(job: Job, slot: Slot) -> None:
    """Note a slot after which none may grow: another kind of time follows."""
    job.skipping = None
    _note(job, slot)


def _note(job: Job, slot: Slot) -> None:
    job.slots = (*job.slots, slot)
