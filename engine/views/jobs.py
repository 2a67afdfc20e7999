"""What is shown of jobs, of what they keep and of what holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class JobView:
    """One job as the list and its own page show it.

    Attributes:
        status: a `JobStatus` value; `reason` says in words why.
        activity: idle, queued or running.
        schedule: the schedule in words ("every 2m"), "on demand" without one.
        error: the last error with its Lua traceback, kept until the next good run.
        settings: the settings that count, with defaults filled in.
        permissions: "open" if the job may use every core module, "declared" if only what `allow` holds.
        allow: the core modules that the job lists: true for all that one can do, or patterns.
        groups: the groups that the file gives.
        paused: what is paused, by whom and why, if that keeps the job from running; else "".
        paused_until: when that ends by itself, or None.
        alerts: what is wrong with it now, the oldest first.
        given: how many schedules that were given at run time are in force beside the file's own.
        origins: where values of settings come from, "file" or "operator"; all others are defaults. For
            `active` it tells whether a person switched the job other than its file says.
        replaced: what the file says, in its own words, where an operator's setting counts instead.
    """

    name: str
    path: str
    status: str
    reason: str
    active: bool
    activity: str
    schedule: str
    next_run: datetime | None
    last_run: datetime | None
    last_status: str | None
    last_run_id: int | None = None
    last_returned: str | None = None
    error: str | None = None
    description: str = ""
    version: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    source_hash: str | None = None
    permissions: str = "open"
    allow: dict[str, Any] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    paused: str = ""
    paused_until: datetime | None = None
    alerts: list[AlertView] = field(default_factory=list)
    given: int = 0
    origins: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, Any] = field(default_factory=dict)


class ListedJob(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One job as lists show it: a part of its `JobView`, of which the rest would be most of a long answer.

    As JSON it is without what is as it is by default. Python's collector does not go through it, as it can be
    no part of a circle.

    Attributes:
        by_operator: the settings that an operator gave, apart from `active`.
    """

    name: str
    path: str
    status: str
    schedule: str
    reason: str = ""
    active: bool = True
    activity: str = "idle"
    next_run: datetime | None = None
    last_run: datetime | None = None
    last_status: str | None = None
    last_run_id: int | None = None
    error: str | None = None
    description: str = ""
    tags: dict[str, str] = {}
    source_hash: str | None = None
    permissions: str = "open"
    allow: dict[str, Any] = {}
    groups: tuple[str, ...] = ()
    paused: str = ""
    paused_until: datetime | None = None
    alerts: tuple[AlertView, ...] = ()
    given: int = 0
    by_operator: tuple[str, ...] = ()


def listed(view: JobView) -> ListedJob:
    """Return what lists show of a job."""
    one = msgspec.convert(view, ListedJob, from_attributes=True)
    return msgspec.structs.replace(one, by_operator=settings_by_operator(view.origins))


def settings_by_operator(origins: Mapping[str, str]) -> tuple[str, ...]:
    """Return of settings with their origins those that an operator gave, apart from `active`."""
    return tuple(name for name, origin in origins.items() if origin == "operator" and name != "active")


@dataclass(frozen=True, slots=True)
class StateView:
    """What a job keeps from one run to the next.

    Attributes:
        lasting: this is what stays for good, not what goes when a run ends COMPLETE.
        value: None if the job keeps nothing.
        run_id: the run that kept it; None for an operator.
    """

    job: str
    lasting: bool
    value: Any = None
    updated: datetime | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class HoldView:
    """A disabled group, or a pause.

    Attributes:
        kind: disabled or paused.
        scope: job, group or engine.
        target: the name of the job or group; "" for the engine.
        until: when it ends by itself, or None.
        words: all of it in one sentence.
    """

    kind: str
    scope: str
    target: str
    note: str
    actor: str
    since: datetime
    until: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of jobs.

    Attributes:
        note: why it is disabled; "" while it is enabled.
        actor: who disabled it.
        since: when it was disabled.
        paused: the group's pause in words; "" without one.
        limit: how many runs of its jobs may go on at once, or None.
        jobs: the names of its jobs.
    """

    name: str
    enabled: bool
    note: str
    actor: str
    since: datetime | None
    paused: str
    limit: int | None
    jobs: list[str]


@dataclass(frozen=True, slots=True)
class AlertView:
    """Something that is, or was, wrong with a job.

    Attributes:
        kind: an `AlertKind` value; `reason` says it in words.
        run: the run that showed it first.
        last: when it was seen last, `count` times in all.
        told: when people were told of it last; None if they were not yet.
        end_told: when they were told that it is over.
        trouble: why it could not be told, where that was given up.
        acked: when somebody said that they know of it.
        lasted_seconds: how long it went on, once it is over.
    """

    id: int
    job: str
    kind: str
    reason: str
    run: int | None
    since: datetime
    last: datetime
    count: int
    told: datetime | None
    ended: datetime | None
    end_reason: str | None
    end_told: datetime | None
    trouble: str | None
    acked: datetime | None
    acked_by: str | None
    note: str | None
    lasted_seconds: float | None
