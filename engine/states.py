"""The states of jobs and runs, and which run state may follow which."""

from __future__ import annotations

from enum import StrEnum


class JobStatus(StrEnum):
    """What the job list shows for a job, beside what it does now (`Activity`)."""

    WAITING = "WAITING"
    SLEEPING = "SLEEPING"
    STOPPED = "STOPPED"
    INACTIVE = "INACTIVE"
    ONCE = "ONCE"
    ONCE_DONE = "ONCE DONE"
    DISABLED = "DISABLED"
    EXPIRED = "EXPIRED"
    INVALID = "INVALID"


class Activity(StrEnum):
    """What a job does at this moment."""

    IDLE = "idle"
    QUEUED = "queued"
    RUNNING = "running"


class RunStatus(StrEnum):
    """Where one run stands."""

    PLANNED = "PLANNED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ERROR = "ERROR"
    TIMEOUT = "TIMEOUT"
    CRASHED = "CRASHED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


class Trigger(StrEnum):
    """Why a run exists."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    CALL = "call"
    RETRY = "retry"
    MISSED = "missed"
    START = "start"
    STARTUP = "startup"
    GIVEN = "given"


class ScheduleStatus(StrEnum):
    """Where a schedule given at run time stands."""

    ACTIVE = "ACTIVE"
    OVER = "OVER"
    CANCELLED = "CANCELLED"


class Returned(StrEnum):
    """What `job.run()` returned, when it was one of the codes."""

    OK = "OK"
    SLEEP = "SLEEP"
    STOP = "STOP"
    EXIT = "EXIT"
    RETRY = "RETRY"


class Fate(StrEnum):
    """What became of a time that a job's schedule has planned."""

    PLANNED = "planned"
    RAN = "ran"
    LATE = "late"
    SKIPPED = "skipped"
    MISSED = "missed"
    SUPERSEDED = "superseded"


class Cause(StrEnum):
    """Why a planned time has no run of its own."""

    OVERLAP = "overlap"
    PAUSED = "paused"
    GROUP = "group"
    BLACKOUT = "blackout"
    STATE = "state"
    DOWN = "down"
    CLOCK = "clock"
    SCHEDULE = "schedule"


class EngineState(StrEnum):
    """What the engine as a whole does."""

    STARTING = "Starting"
    RUNNING = "Running"
    RELOADING = "Reloading"
    DRAINING = "Draining"
    STOPPED = "Stopped"


#: Run states after which nothing follows.
FINAL = frozenset(
    {
        RunStatus.COMPLETE,
        RunStatus.ERROR,
        RunStatus.TIMEOUT,
        RunStatus.CRASHED,
        RunStatus.CANCELLED,
        RunStatus.SKIPPED,
    }
)

#: Run states that count as a failure of the job itself.
FAILED = frozenset({RunStatus.ERROR, RunStatus.TIMEOUT, RunStatus.CRASHED})

#: Which run state may follow which.
TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.PLANNED: frozenset(
        {RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.CANCELLED, RunStatus.SKIPPED}
    ),
    RunStatus.QUEUED: frozenset(
        {RunStatus.RUNNING, RunStatus.CANCELLED, RunStatus.SKIPPED, RunStatus.CRASHED, RunStatus.ERROR}
    ),
    RunStatus.RUNNING: frozenset(
        {
            RunStatus.COMPLETE,
            RunStatus.ERROR,
            RunStatus.TIMEOUT,
            RunStatus.CRASHED,
            RunStatus.CANCELLED,
        }
    ),
} | {status: frozenset() for status in FINAL}


def follow(present: RunStatus, wanted: RunStatus) -> RunStatus:
    """Return `wanted` if a run in `present` may go there.

    Raises:
        ValueError: the table of transitions does not allow it; that is a bug of the engine.
    """
    if wanted not in TRANSITIONS[present]:
        raise ValueError(f"a run cannot go from {present} to {wanted}")
    return wanted


class NodeKind(StrEnum):
    """What works on a database."""

    ENGINE = "engine"
    WORKER = "worker"


class NodeState(StrEnum):
    """What an engine or a worker does, as its row says."""

    LEADING = "leading"
    STANDBY = "standby"
    WORKING = "working"
    DRAINING = "draining"
    GONE = "gone"
