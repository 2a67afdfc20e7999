"""What is shown of planned times: those to come, and what became of those that passed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """One schedule given at run time.

    Attributes:
        status: a `ScheduleStatus` value: ACTIVE while it makes runs, or its single run is still to come.
        schedule: what makes it due, in words.
        repeats: whether it is due again and again; False for a single run.
        due: when it is due next; of a single run, when that was due.
        retries: instead of the job's own setting, None for that; so is `retry_delay` in seconds.
        remove_after: seconds after which its COMPLETE runs are removed, None keeps them.
        run_skipped: whether a run makes up for times that passed, None for the job's own setting.
        created_by: the operator, or the job with its run, that gave it.
        ended: when it was cancelled or ran out; `reason` says why.
        last_run_id: the latest run that it made.
        skipped: how many of its due times passed without a run; `note` says why the last one did.
    """

    id: int
    job: str
    status: str
    schedule: str
    repeats: bool
    due: datetime | None
    user_id: int
    tag: str
    data: Any
    retries: int | str | None
    retry_delay: float | None
    remove_after: float | None
    run_skipped: bool | None
    created: datetime
    created_by: str
    called_by: int | None
    ended: datetime | None
    reason: str | None
    last_run_id: int | None
    skipped: int
    note: str | None


@dataclass(frozen=True, slots=True)
class ComingView:
    """One due time to come.

    Attributes:
        notes: what is unusual about it, in words: a change of the clocks, jitter, the end of the schedule.
        schedule_id: the schedule given at run time that makes it due; None for the job file's own.
    """

    job: str
    due: datetime
    notes: list[str] = field(default_factory=list)
    schedule_id: int | None = None


@dataclass(frozen=True, slots=True)
class SlotView:
    """What became, or will become, of a planned time, or of several that ended alike.

    Attributes:
        due: the planned time, or the first of several; `last_due` is the last of them.
        count: how many; null for all from `due` until the job was due again.
        fate: planned, ran, late, skipped, missed or superseded.
        cause: for those that did not run: overlap, paused, group, blackout, state, down, clock or schedule.
        reason: in words.
        run: the run that was made for it, or that stands for it.
        status: where that run stands, if it was made for this time.
        late_ms: from the due time to the run's start.
        schedule_id: the schedule given at run time that planned it; None for the job's own.
    """

    job: str
    due: datetime
    last_due: datetime
    count: int | None
    fate: str
    cause: str | None = None
    reason: str = ""
    run: int | None = None
    status: str | None = None
    late_ms: float | None = None
    schedule_id: int | None = None


@dataclass(frozen=True, slots=True)
class WhyView:
    """What became of the time that somebody asks about.

    Attributes:
        at: from where was looked; `until` is the end, not included.
        found: what became of the first planned time there; empty if none was planned.
        before: the nearest one before, if none was planned there.
        after: the nearest one after.
    """

    job: str
    at: datetime
    until: datetime
    found: list[SlotView]
    before: SlotView | None = None
    after: SlotView | None = None
