"""The values that go into and come out of the store: plain, frozen, belonging to no session.

What a value holds (a run's data, a job's settings) must not be changed after it was handed over: the
journal's thread reads it later.

Those that each run needs are structs of msgspec, which are made in a tenth of the time of frozen dataclasses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from engine.rules.slots import Slot
from engine.run import Beside, LogLine
from engine.states import Returned, RunStatus, ScheduleStatus, Trigger


class RunRow(msgspec.Struct, frozen=True):
    """A run as it is written first: QUEUED, or directly RUNNING with its start.

    Attributes:
        id: given by the engine, above all ids there are (see `next_run_id`).
        session: the engine's present session.
        rescheduled_from: the run that this one repeats.
        called_by: the run that asked for this one.
        schedule_id: the schedule given at run time that this run comes from.
    """

    id: int
    job: str
    trigger: Trigger
    due: datetime
    queued: datetime
    session: int
    status: RunStatus = RunStatus.QUEUED
    started: datetime | None = None
    attempt: int = 1
    rescheduled_from: int | None = None
    data: Any = None
    user_id: int = 0
    source_hash: str | None = None
    called_by: int | None = None
    version: str | None = None
    schedule_id: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run to come.

    Attributes:
        id: given by the engine like any run's; the run keeps it.
        trigger: a call, or a retry.
        rescheduled_from: the run that a retry repeats.
        called_by: the run that asked for this one.
        crashes: how many of the attempts before it crashed their worker.
        schedule_id: the schedule given at run time that this run comes from.
        tag: that of the schedule if it is for one run, which a later one replaces; None for all others.
        first_trigger: of a retry, why there was the first attempt.
    """

    id: int
    job: str
    due: datetime
    planned_at: datetime
    data: Any = None
    user_id: int = 0
    called_by: int | None = None
    trigger: Trigger = Trigger.CALL
    attempt: int = 1
    rescheduled_from: int | None = None
    crashes: int = 0
    schedule_id: int | None = None
    tag: str | None = None
    first_trigger: Trigger | None = None


@dataclass(frozen=True, slots=True)
class PlannedTime:
    """What is held in memory of a planned run; the fields are those of `PlannedRun`."""

    id: int
    job: str
    due: datetime
    user_id: int = 0
    schedule_id: int | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class GivenSchedule:
    """A schedule given at run time.

    Attributes:
        status: as stored; one for a single run stays ACTIVE there, and is over when no run of it is planned.
        rule: what makes it due again and again, as settings of a job file; None for a single run.
        words: what makes it due, for people.
        due: when it is due next, or was due.
        retries: instead of the job's own setting.
        retry_delay: seconds, instead of the job's own setting.
        remove_after: seconds after which its COMPLETE runs are removed.
        run_skipped: whether one run makes up for times that passed, instead of the job's own setting.
        created_by: who gave it: an operator, or a job with its run.
        called_by: the run that gave it.
        ended: when it was cancelled or ran out, with the reason.
        last_run_id: the latest run that it made.
        skipped: how many of its due times passed without a run; `note` says why the last one did.
    """

    id: int
    job: str
    status: ScheduleStatus
    words: str
    created: datetime
    created_by: str
    rule: dict[str, Any] | None = None
    due: datetime | None = None
    user_id: int = 0
    tag: str = ""
    data: Any = None
    retries: int | str | None = None
    retry_delay: float | None = None
    remove_after: float | None = None
    called_by: int | None = None
    ended: datetime | None = None
    reason: str | None = None
    last_run_id: int | None = None
    skipped: int = 0
    note: str | None = None
    run_skipped: bool | None = None


class RunStart(msgspec.Struct, frozen=True):
    """A queued run that begins now.

    Attributes:
        source_hash: of the text that it runs; None if it has none.
        version: of its job's code, as the settings say.
        worker: who carries it out, if not this engine.
    """

    run_id: int
    started: datetime
    source_hash: str | None = None
    version: str | None = None
    worker: str | None = None


class RunEnd(msgspec.Struct, frozen=True):
    """What is written when a run is over; `status` is final.

    Attributes:
        modules: the library modules that it was given, by name the hash of each one's source.
        remove_at: from when on it may be removed, whatever else keeps it.
    """

    status: RunStatus
    finished: datetime
    returned: Returned | None = None
    duration_ms: float | None = None
    error: str | None = None
    result: Any = None
    result_note: str | None = None
    info: Any = None
    problems: list[dict[str, str]] | None = None
    calls: list[dict[str, Any]] | None = None
    cpu_ms: float | None = None
    peak_memory_bytes: int | None = None
    log_lines: int = 0
    modules: dict[str, str] | None = None
    remove_at: datetime | None = None


class JobPatch(msgspec.Struct, frozen=True):
    """New values for some columns of a job's row; the row is made if the job has none.

    Attributes:
        values: by column name (see `JobRow`).
        slots: planned times of the job that ended without a run, in the ledger together with the values.
        runs: new runs whose due times the values have moved on from.
    """

    name: str
    values: Mapping[str, Any]
    slots: tuple[Slot, ...] = ()
    runs: tuple[RunRow, ...] = ()

    def __post_init__(self) -> None:
        if not self.values.keys() <= JOB_COLUMNS:
            unknown = self.values.keys() - JOB_COLUMNS
            raise ValueError(f"a job's row has no column {', '.join(sorted(unknown))}")


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job's row, whole.

    Attributes:
        overrides: settings that an operator gave, which stand in the place of the file's.
    """

    name: str
    path: str
    present: bool
    status: str
    reason: str
    active: bool
    declared_active: bool
    armed: bool
    next_due: datetime | None
    error: str | None
    once_session: int | None
    schedule_key: str
    settings: dict[str, Any] | None
    source_hash: str | None
    last_run_id: int | None
    last_started: datetime | None
    last_status: str | None
    last_returned: str | None
    overrides: dict[str, Any] | None
    first_seen: datetime
    updated: datetime


#: The columns that a `JobPatch` may set.
JOB_COLUMNS = frozenset(JobRow.__slots__) - {"name", "first_seen", "updated"}


@dataclass(frozen=True, slots=True)
class SourceRow:
    """The text of a job file or library module under its SHA-256 hash in hexadecimal."""

    hash: str
    text: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action of an operator.

    Attributes:
        actor: who, such as "anna@web1".
        origin: by which way, such as "socket" or "tcp".
        action: what, such as "job.activate".
        target: to what: a job's name, a run's id.
        before: what it was, as far as the action changed it.
        after: what it is now.
    """

    at: datetime
    actor: str
    origin: str
    action: str
    target: str
    before: Any = None
    after: Any = None


class Changes(msgspec.Struct, frozen=True):
    """Rows that belong together: all of them are committed, or none.

    Attributes:
        unplanned: ids of planned runs whose rows go.
        cleared: jobs that keep their state no longer.
        given: new schedules given at run time.
        given_steps: such schedules as they have become; what was given with them stays as it was.
        beside: what others write with them, after all else.
    """

    sources: tuple[SourceRow, ...] = ()
    planned: tuple[PlannedRun, ...] = ()
    unplanned: tuple[int, ...] = ()
    runs: tuple[RunRow, ...] = ()
    starts: tuple[RunStart, ...] = ()
    lines: tuple[tuple[int, tuple[LogLine, ...]], ...] = ()
    ends: tuple[tuple[int, RunEnd], ...] = ()
    jobs: tuple[JobPatch, ...] = ()
    cleared: tuple[str, ...] = ()
    audits: tuple[AuditEntry, ...] = ()
    given: tuple[GivenSchedule, ...] = ()
    given_steps: tuple[GivenSchedule, ...] = ()
    beside: tuple[Beside, ...] = ()
