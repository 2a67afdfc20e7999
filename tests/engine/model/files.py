"""Job files and holds, as the model knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

FIVE_MINUTES = timedelta(minutes=5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
FOREVER = datetime.max.replace(tzinfo=UTC)

#: The window of each day in which a dark job makes no runs.
DARK = (time(12, 10), time(12, 20))


@dataclass(frozen=True)
class File:
    """A job file. It has one schedule at most: `every` seconds, each five minutes by cron, or at one date."""

    every: int | None = None
    cron: bool = False
    at: datetime | None = None
    run_once: bool = False
    run_at_start: bool = False
    run_skipped: bool = False
    active: bool = True
    on_error: str = "deactivate"
    overlap: str = "coalesce"
    priority: int = 0
    retries: int = 0
    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    dark: bool = False
    bad: bool = False

    @property
    def schedule(self) -> tuple[object, ...] | None:
        """What tells one schedule from another; None without one."""
        return (self.every, self.cron, self.at) if self.every or self.cron or self.at else None

    def first(self, now: datetime) -> datetime | None:
        """Return when a job that is armed now is due."""
        if self.every:
            return now + timedelta(seconds=self.every)
        if self.cron:
            return now + FIVE_MINUTES - (now - EPOCH) % FIVE_MINUTES
        return self.at if self.at and self.at > now else None

    def after(self, due: datetime, now: datetime) -> datetime | None:
        """Return the first due time after one of them that is still to come."""
        if self.every:
            step = timedelta(seconds=self.every)
            return due + (max(now - due, timedelta()) // step + 1) * step
        return self.first(max(due, now))

    def latest(self, due: datetime, now: datetime) -> datetime:
        """Return the last due time from `due` until now."""
        following = self.after(due, due)
        while following is not None and following <= now:
            due, following = following, self.after(following, following)
        return due

    def is_dark(self, due: datetime) -> bool:
        """Return whether a time lies in the job's blackout."""
        return self.dark and DARK[0] <= due.time() < DARK[1]


@dataclass(frozen=True)
class Hold:
    """What keeps jobs from running: a disabled group, or a pause of a job, a group or the engine.

    Attributes:
        target: the name of the job or group; "" for the engine.
        until: when a pause ends by itself.
    """

    kind: str
    scope: str
    target: str = ""
    until: datetime | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.scope, self.target

    def concerns(self, job: str, file: File | None) -> bool:
        """Return whether it keeps a job from running; without a good file a job is in no group."""
        if self.scope == "group":
            return file is not None and self.target in file.groups
        return self.scope == "engine" or self.target == job
