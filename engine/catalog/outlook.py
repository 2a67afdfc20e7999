"""What reading the folder again would change, and what it has changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.catalog.found import Found
from engine.jobs.overrides import Overrides
from engine.rules.lifecycle import JobState, Missed
from engine.runs.job import Job
from engine.states import JobStatus


@dataclass(slots=True)
class Changes:
    """What reading the folder changed.

    Attributes:
        modules: library modules that changed, by name the jobs that are known to use each.
        dropped: operators' settings that count no longer, by job.
        let_go: those that something may have kept from running until now.
    """

    added: list[Job] = field(default_factory=list)
    changed: list[Job] = field(default_factory=list)
    removed: list[Job] = field(default_factory=list)
    revived: list[Job] = field(default_factory=list)
    touched: list[Job] = field(default_factory=list)
    let_go: list[Job] = field(default_factory=list)
    missed: list[tuple[Job, Missed]] = field(default_factory=list)
    start_now: list[Job] = field(default_factory=list)
    modules: dict[str, list[str]] = field(default_factory=dict)
    dropped: dict[str, Overrides] = field(default_factory=dict)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a reload makes of one job.

    Attributes:
        found: its file as it is now.
        known: the job as it is on the list; None if it is not there yet.
        before: its state so far; None if nothing is known of it.
        edited: its text, or a setting that counts, is another.
    """

    found: Found
    known: Job | None
    before: JobState | None
    after: JobState
    edited: bool

    @property
    def is_revival(self) -> bool:
        """Whether a job that did not run comes back to its schedule."""
        if self.before is None or self.after == self.before:
            return False
        dead = self.before.status in (JobStatus.STOPPED, JobStatus.INACTIVE, JobStatus.INVALID)
        return dead and self.after.status in (JobStatus.WAITING, JobStatus.ONCE)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a reload would change.

    Attributes:
        removed: jobs whose files are gone.
        modules, dropped: as in `Changes`.
        hashes: of the modules that changed, as they are now; None for one that cannot be read.
    """

    jobs: list[Foreseen]
    removed: list[Job]
    modules: dict[str, list[str]]
    hashes: dict[str, str | None]
    dropped: dict[str, Overrides]
