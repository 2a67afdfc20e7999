"""What the wall clock being set back means for what is planned. Pure.

- Wall times (cron lines, dates) stay as planned: none of them comes twice because a clock repeats an hour.
  Only after three hours or more the clock is taken to have been wrong before, and the lines are looked at
  anew; otherwise a clock that stood years ahead would leave jobs without runs for years. Dates never repeat.
- An interval keeps its remaining time, so that it never waits longer than it is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from engine.rules.lifecycle import JobState
from engine.states import JobStatus
from engine.times.plan import Bounded, Dates, Delayed, Several
from engine.times.schedule import Interval, Schedule

#: From here on the clock was wrong before it was set back, as for Vixie cron.
LONG = timedelta(hours=3)

_TICK = timedelta(microseconds=1)
_SCHEDULED = frozenset({JobStatus.WAITING, JobStatus.ONCE})


def set_back(state: JobState, schedule: Schedule | None, now: datetime, by: timedelta) -> JobState:
    """Return a job's state after the clock was set back.

    Args:
        now: what the clock shows since.
        by: how far it was set back.
    """
    if state.status not in _SCHEDULED or state.next_due is None or schedule is None:
        return state
    due = due_after(schedule, state.next_due, now, by)
    return state if due == state.next_due else replace(state, next_due=due)


def due_after(schedule: Schedule, due: datetime, now: datetime, by: timedelta) -> datetime:
    """Return the time for which a schedule is planned, instead of `due`, after the clock was set back."""
    match schedule:
        case Interval():
            return due - by
        case Dates():
            return due
        case Delayed():
            return (
                due_after(schedule.schedule, due - schedule.delay, now - schedule.delay, by) + schedule.delay
            )
        case Bounded():
            return _bounded(schedule, due, now, by)
        case Several() if by >= LONG:
            looks = [_look_anew(part, due, now) for part in schedule.schedules]
            return min((look for look in looks if look is not None), default=due)
        case _ if by >= LONG:
            return _look_anew(schedule, due, now) or due
        case _:
            return due


def _bounded(schedule: Bounded, due: datetime, now: datetime, by: timedelta) -> datetime:
    found = due_after(schedule.schedule, due, now, by)
    if schedule.starts is None or found >= schedule.starts:
        return found
    return schedule.first(now) or due


def _look_anew(schedule: Schedule, due: datetime, now: datetime) -> datetime | None:
    return schedule.first(due - _TICK) if isinstance(schedule, Dates) else schedule.first(now)
