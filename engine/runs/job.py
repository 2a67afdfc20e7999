"""A job as the engine holds it in memory, and what surrounds it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from engine.jobs.jobfile import JobSettings
from engine.jobs.overrides import Overrides
from engine.rules.lifecycle import JobState
from engine.rules.slots import Slot
from engine.run import Outcome
from engine.states import RunStatus
from engine.store.rows import JobRow, RunRow
from engine.times.blackout import Blackout
from engine.times.schedule import Schedule


class LastRun(msgspec.Struct, frozen=True):
    """What the list shows of a job's last run."""

    id: int
    started: datetime
    status: RunStatus | None
    returned: str | None


#: Takes a line of a run's log: its level and its text.
Log = Callable[[str, str], None]

#: What a job of the engine's own does in a run, until it is done or the future says why it must stop.
Work = Callable[[Log, "asyncio.Future[str]"], Awaitable[Outcome]]


#: Returns a run's row and counts it as written: who asks for it hands it to the journal.
MakeRow = Callable[[], RunRow]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A job of the engine's own: it has no file, and does its work inside the engine."""

    name: str
    settings: JobSettings
    work: Work


@dataclass(slots=True, eq=False)
class Job:
    """One job, as long as the engine knows it; `state` is replaced whole, never changed in place.

    Attributes:
        owed: runs of taken due times whose rows are not with the journal yet: by id what makes the row.
        slots: planned times that have ended without a run, and are not with the journal yet.
        modules: library modules that it is known to use, by name the hash of each as it was last looked at.
        work: what a job of the engine's own does; None for one that has a file.
        skipping: the last of them, while more of the same kind may follow.
        declared: the table of settings that the file gives; None while it gives none.
        overrides: the operator's settings, which stand in the place of the file's.
    """

    name: str
    path: str
    state: JobState
    settings: JobSettings | None = None
    schedule: Schedule | None = None
    source_hash: str | None = None
    last: LastRun | None = None
    blackout: Blackout | None = None
    slots: tuple[Slot, ...] = ()
    owed: dict[int, MakeRow] = field(default_factory=dict)
    skipping: Slot | None = None
    work: Work | None = None
    modules: dict[str, str | None] = field(default_factory=dict)
    declared: Any = None
    overrides: Overrides = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredJob:
    """What the database remembers of a job from earlier sessions.

    Attributes:
        listed: its file was there when it was last looked for.
        row: all of it, as it was written.
    """

    state: JobState
    last: LastRun | None
    overrides: Overrides = field(default_factory=dict)
    listed: bool = True
    row: JobRow | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A job file's text at one moment."""

    text: bytes
    hash: str
