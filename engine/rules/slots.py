"""The slot ledger's values: what became of the times that a job's schedule has planned. Pure.

A planned time whose run exists needs no slot: the run's own row, with its trigger and its due time, is its
entry in the ledger. A slot stands for one planned time without a run, or for several one after another
that ended alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.rules.lifecycle import JobState, Missed, first_line
from engine.states import Cause, Fate, JobStatus
from engine.times.plan import Bounded, Delayed
from engine.times.schedule import Interval, Schedule

DOWN = "no engine ran"
DOWN_AND_CHANGED = "no engine ran, and the schedule was another when one started"
RESCHEDULED = "the schedule was changed before this time came"
SET_BACK = "the clock was set back, and the job keeps its remaining time"
REMOVED = "the job's file was removed"
OVERTAKEN = "the machine slept, or its clock was set forward: the run due {due} stands for it"

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """One planned time, or several one after another, that did not become runs of their own.

    Attributes:
        first_due: the planned time, or the first of them.
        last_due: the last of them so far; the same for a single one.
        count: how many; None for all from `first_due` to the next entry of the job, which says no more
            than that the job was not due meanwhile.
        noted: when the first of them came into the ledger; with job and `first_due` it is the key.
        reason: for people.
        run_id: the run that stands for them, where one does.
        schedule_id: the schedule given at run time that planned them; None for the job's own.
    """

    job: str
    first_due: datetime
    noted: datetime
    last_due: datetime
    count: int | None
    fate: Fate
    cause: Cause
    reason: str
    run_id: int | None = None
    schedule_id: int | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a due time makes no run."""

    cause: Cause
    reason: str


def skipped(job: str, due: datetime, skip: Skip, now: datetime, before: Slot | None = None) -> Slot:
    """Return the slot of a due time that makes no run.

    Args:
        before: the job's last slot, if no run came since; it grows if it says the same.
    """
    if before is not None and (before.cause, before.reason) == (skip.cause, skip.reason):
        return replace(before, last_due=due, count=(before.count or 0) + 1)
    return Slot(job, due, now, due, 1, Fate.SKIPPED, skip.cause, skip.reason)


def missed(job: str, first: datetime, times: Missed, now: datetime, run_id: int | None = None) -> Slot:
    """Return the slot of due times that passed while no engine ran.

    Args:
        run_id: the run that makes up for them.
    """
    return Slot(job, first, now, times.last_due, times.count, Fate.MISSED, Cause.DOWN, DOWN, run_id)


def overtaken(job: str, schedule: Schedule | None, due: datetime, now: datetime) -> Slot | None:
    """Return the slot of the due times after `due` that have passed as well when it is served."""
    if schedule is None:
        return None
    first = schedule.following(due, due)
    if first is None or first > now:
        return None
    last = schedule.latest(first, now)
    reason = OVERTAKEN.format(due=due.isoformat(timespec="seconds"))
    return Slot(job, first, now, last, schedule.missed(first, now), Fate.MISSED, Cause.CLOCK, reason)


def grown(before: Slot, more: Slot) -> Slot:
    """Return a slot with the times of another that follow its own and pass for the same reason."""
    return replace(before, last_due=more.last_due, count=(before.count or 0) + (more.count or 0))


def given_up(
    job: str,
    before: JobState,
    after: JobState,
    schedule: Schedule | None,
    now: datetime,
    why: str = RESCHEDULED,
) -> Slot | None:
    """Return the slot of the time that was planned before a job's state changed, if it is no longer.

    Args:
        schedule: the job's present one.
        why: the reason if another time was planned instead.
    """
    planned, instead = _planned(before), _planned(after)
    if planned is None or planned == instead:
        return None
    if planned <= now:
        return _passed(job, before, planned, now)
    if instead is not None and instead < planned and _comes(schedule, planned, instead):
        return None
    if instead is None or after.status is JobStatus.SLEEPING:
        reason = f"the job is {after.status.value}: {first_line(after.reason)}"
        return Slot(job, planned, now, planned, None, Fate.SKIPPED, Cause.STATE, reason)
    return Slot(job, planned, now, planned, 1, Fate.SUPERSEDED, Cause.SCHEDULE, why)


def removed(job: str, before: JobState, now: datetime) -> Slot | None:
    """Return the slot of the time that was planned for a job whose file is gone."""
    planned = _planned(before)
    if planned is None:
        return None
    return Slot(job, planned, now, planned, None, Fate.SKIPPED, Cause.STATE, REMOVED)


def _planned(state: JobState) -> datetime | None:
    """Return the time that a job is planned for; one whose file is bad keeps it for when it is good."""
    return state.next_due if state.status is JobStatus.INVALID else state.due


def _passed(job: str, before: JobState, planned: datetime, now: datetime) -> Slot:
    if before.status is JobStatus.INVALID:
        reason = f"the job was {before.status.value}: {first_line(before.reason)}"
        return Slot(job, planned, now, planned, None, Fate.SKIPPED, Cause.STATE, reason)
    return Slot(job, planned, now, planned, None, Fate.MISSED, Cause.DOWN, DOWN_AND_CHANGED)


def _comes(schedule: Schedule | None, planned: datetime, instead: datetime) -> bool:
    """Return whether a time is due all the same, after one before it, whatever happens until then."""
    if schedule is None or _counts_on(schedule):
        return False
    return schedule.following(instead, planned - _TICK) == planned


def _counts_on(schedule: Schedule) -> bool:
    """Return whether a schedule counts from its last due time, as intervals do."""
    if isinstance(schedule, Delayed | Bounded):
        return _counts_on(schedule.schedule)
    return isinstance(schedule, Interval)
