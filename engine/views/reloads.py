"""What a reload changed, or would change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ReloadView:
    """What a reload changed.

    Attributes:
        modules: library modules that changed, by name the jobs that are known to use each.
        dropped: operators' settings that count no longer, by job each with its value.
    """

    added: list[str]
    changed: list[str]
    removed: list[str]
    invalid: dict[str, str]
    revived: list[str]
    unchanged: int
    duration_ms: float
    modules: dict[str, list[str]] = field(default_factory=dict)
    dropped: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedChangeView:
    """What a reload would make of one job.

    Attributes:
        becomes: added, changed, removed, revived, invalid or other; the first that fits of
            added, removed, invalid, changed, revived. "other" stands for another state or due time alone.
        settings: the settings whose values will be others.
        was: the status so far, "" for a new job.
        status: as it will be, "" for a removed job; `reason` says why.
        next_run: when it will be due; `next_was` is when it is due without the reload.
    """

    job: str
    becomes: str
    settings: list[str]
    was: str
    status: str
    reason: str
    next_was: datetime | None
    next_run: datetime | None


@dataclass(frozen=True, slots=True)
class ReloadPlanView:
    """What a reload would change.

    Attributes:
        changes: the jobs of which anything would be different, in the order of their names.
        invalid: why files cannot be used, also those that were bad before: by job.
        unchanged: how many jobs would stay as they are.
        modules, dropped: as in `ReloadView`.
    """

    changes: list[PlannedChangeView]
    invalid: dict[str, str]
    unchanged: int
    modules: dict[str, list[str]] = field(default_factory=dict)
    dropped: dict[str, dict[str, Any]] = field(default_factory=dict)
