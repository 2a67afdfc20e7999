"""What is shown of runs: how they went, what they logged and which code they had."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as the API shows it.

    Attributes:
        called_by: the run that asked for this one by `core.jobs`.
        schedule_id: the schedule given at run time that this run comes from.
        problems: what it told by `job.warn` and `job.err`, each with level, code and text; None without any.
        calls: what its core calls took, in their order: each line has `call` (such as mysql.select), `at_ms`
            (since the run's start), `count` (of calls without another one in between), `ms` of all of them,
            `longest_ms`, `failed` and `error`; None without any. Of a run that goes on those made so far, and
            one without an answer yet is the last, with `going` true; None where that is told at its end only.
        version: of the job's code, as its settings said when it started.
        modules: the library modules that it was given, by name the hash of each one's source.
        remove_at: when it is due to be removed, by its job's `remove_after`.
        worker: who carried it out, if not the engine itself.
        superseded: ends that came too late to count, each with `at`, `worker`, `status` and `error`.
        position: its place among all runs that wait, 1 being the first; None for one that does not wait in
            the engine's line.
        waits_for: what it waits for, in words; "" for one that does not wait.
    """

    id: int
    job: str
    status: str
    returned: str | None
    trigger: str
    attempt: int
    due: datetime
    started: datetime | None
    finished: datetime | None
    duration_ms: float | None
    error: str | None
    result: Any
    info: Any
    data: Any = None
    result_note: str | None = None
    user_id: int = 0
    session: int | None = None
    rescheduled_from: int | None = None
    called_by: int | None = None
    schedule_id: int | None = None
    source_hash: str | None = None
    cpu_ms: float | None = None
    peak_memory_bytes: int | None = None
    log_lines: int = 0
    problems: list[dict[str, str]] | None = None
    calls: list[dict[str, Any]] | None = None
    version: str | None = None
    modules: dict[str, str] | None = None
    remove_at: datetime | None = None
    worker: str | None = None
    superseded: list[dict[str, Any]] | None = None
    position: int | None = None
    waits_for: str = ""

    @property
    def wait(self) -> str:
        """How it waits, in words; "" for one that does not."""
        return (
            self.waits_for if self.position is None else f"number {self.position} in line: {self.waits_for}"
        )


@dataclass(frozen=True, slots=True)
class LogLineView:
    """One line of a run's log."""

    number: int
    at: datetime
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class ModuleSourceView:
    """The source of a library module as a run was given it.

    Attributes:
        text: None once it is kept no longer.
    """

    path: str
    hash: str
    text: str | None


@dataclass(frozen=True, slots=True)
class RunSourceView:
    """The code of a run.

    Attributes:
        path: of the job file, below the jobs folder.
        hash: SHA-256 of its text; None if the run had none, since the file could not be read.
        text: None without a hash.
        modules: the library modules that the run was given, by name.
    """

    run: int
    job: str
    version: str | None
    path: str
    hash: str | None
    text: str | None
    modules: dict[str, ModuleSourceView] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileDiffView:
    """What changed in one file: a unified diff."""

    path: str
    diff: str


@dataclass(frozen=True, slots=True)
class TimelinePartView:
    """When a run went on, in steps of a span of time, and any others that were alike in this.

    Attributes:
        first, last: the steps in which it began and ended.
        what: "ran", "failed" (in the last step) or "skipped" (it never started).
    """

    first: int
    last: int
    what: str


@dataclass(frozen=True, slots=True)
class JobTimelineView:
    """When runs of a job went on."""

    job: str
    parts: list[TimelinePartView]


@dataclass(frozen=True, slots=True)
class TimelineView:
    """What ran when.

    Attributes:
        jobs: in the order in which they began.
        at_once: for each step, how many runs went on at the same time, where there were most.
        more_jobs: how many further jobs ran.
    """

    jobs: list[JobTimelineView]
    at_once: list[int]
    more_jobs: int


@dataclass(frozen=True, slots=True)
class StepFailuresView:
    """How many runs failed in one step of a span."""

    step: int
    count: int


@dataclass(frozen=True, slots=True)
class JobFailuresView:
    """How many runs of a job failed in a span."""

    job: str
    count: int


@dataclass(frozen=True, slots=True)
class FailuresView:
    """Where failures gather.

    Attributes:
        steps: those of a span in which runs failed.
        jobs: those with most failures, the worst first.
    """

    steps: list[StepFailuresView]
    jobs: list[JobFailuresView]


@dataclass(frozen=True, slots=True)
class DiffView:
    """What changed between the code of a run and that of another, or of now.

    Attributes:
        before, after: whose code it is, such as "run 12" or "now".
        files: those that differ; empty if none does.
    """

    before: str
    after: str
    files: list[FileDiffView] = field(default_factory=list)
