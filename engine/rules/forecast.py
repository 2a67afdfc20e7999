"""What comes: the next due times of jobs, in order, with what is unusual about each. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from engine.rules.lifecycle import JobState
from engine.states import JobStatus
from engine.times.blackout import Blackout, Window
from engine.times.plan import Bounded, Dates, Delayed, Several
from engine.times.quantities import format_duration
from engine.times.schedule import Cron, Schedule
from engine.views import ComingView

CHOSEN_BY_JOB = "chosen by the job itself (job.next)"
RUNS_ONCE = "the only one until the engine is started again"


def forecast(
    jobs: Iterable[tuple[str, JobState, Schedule | None, Blackout | None]],
    *,
    since: datetime | None,
    count: int,
) -> list[ComingView]:
    """Return the next due times of all these jobs together.

    Args:
        jobs: name, state, schedule and blackout of each.
        since: look from this moment on; None begins with what is armed.
        count: at most so many.
    """
    streams = [_coming(*job, since) for job in jobs]
    return list(islice(heapq.merge(*streams, key=lambda view: (view.due, view.job)), count))


def _coming(
    name: str,
    state: JobState,
    schedule: Schedule | None,
    blackout: Blackout | None,
    since: datetime | None,
) -> Iterator[ComingView]:
    due, once = state.due, state.status is JobStatus.ONCE
    while due is not None:
        following = schedule.following(due, due) if schedule else None
        window = blackout.window_at(due) if blackout else None
        if once and window is None:
            following = None
        if since is None or due >= since:
            yield ComingView(name, due, _all_notes(state, schedule, window, due, following))
        elif schedule is not None and following is not None and following < since:
            # Not one by one through what is not asked for.
            following = schedule.following(due, since - timedelta(microseconds=1))
        due = following


def _all_notes(
    state: JobState,
    schedule: Schedule | None,
    window: Window | None,
    due: datetime,
    following: datetime | None,
) -> list[str]:
    if window is not None:
        return [no_run_in(window)]
    if state.status is JobStatus.SLEEPING and due == state.next_due:
        return ["the job sleeps until then (job.SLEEP)"]
    return [RUNS_ONCE] if state.status is JobStatus.ONCE else notes(schedule, due, following)


def no_run_in(window: Window) -> str:
    """Return what a window means for a due time that lies in it."""
    return f"no run: the blackout {window.text}"


def no_run_while(hold: str) -> str:
    """Return what a hold, given in words, means for a due time for as long as it lasts."""
    return f"no run while this holds: {hold}"


def notes(schedule: Schedule | None, due: datetime, following: datetime | None) -> list[str]:
    """Return what is unusual about a due time, in words.

    Args:
        following: the schedule's next due time after it, None if this is the last.
    """
    match schedule:
        case Bounded():
            inner = notes(schedule.schedule, due, following)
            if following is None and schedule.expires is not None:
                inner.append(f"the last one before the schedule expires at {_local(schedule.expires)}")
            return inner
        case Delayed():
            own = due - schedule.delay
            return [
                f"{format_duration(schedule.delay.total_seconds())} later than the line says (jitter)",
                *notes(schedule.schedule, own, following),
            ]
        case Several():
            return [
                note for part in schedule.schedules if _is_due(part, due) for note in notes(part, due, due)
            ]
        case Cron():
            return _clock_changes(schedule, due) if _is_due(schedule, due) else [CHOSEN_BY_JOB]
        case Dates() if following is None:
            return ["the last date"]
        case _:
            return []


def _is_due(schedule: Schedule, due: datetime) -> bool:
    return schedule.first(due - timedelta(microseconds=1)) == due


def _clock_changes(schedule: Cron, due: datetime) -> list[str]:
    local = due.astimezone(schedule.zone)
    wall = local.replace(tzinfo=None, fold=0)
    if schedule.times.after(wall - timedelta(seconds=1)) != wall:
        return [
            "daylight saving: the clocks leave out the time of the line, so it is due right after the gap"
        ]
    other = wall.replace(tzinfo=schedule.zone, fold=1 - local.fold)
    if other.utcoffset() == local.utcoffset() or other.astimezone(schedule.zone).utcoffset() is None:
        return []
    if local.fold:
        return ["daylight saving: this time comes twice today, and this is the second"]
    twice = schedule.first(due) == other.replace(fold=1).astimezone(due.tzinfo)
    return [
        "daylight saving: this time comes twice today, and "
        + ("both are due" if twice else "only the first is due")
    ]


def _local(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
