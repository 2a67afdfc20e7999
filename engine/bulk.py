"""Which jobs and runs one action on many means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.views import JobView

#: What makes a name a pattern.
WILDCARDS = frozenset("*?[")


class BulkAction(StrEnum):
    """What may be done to many at once."""

    RUN = "run"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which jobs and runs are meant: those of the names, of which all else must be true as well.

    Attributes:
        names: jobs by name or pattern (`shop/*`); without any, all jobs of which the rest is true.
        runs: runs by id, beside the jobs.
        tags: with these tags, where "" means any value.
        group: in this group.
        status: with this status in the list of jobs, in upper or lower case.
    """

    names: tuple[str, ...] = ()
    runs: tuple[int, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None
    status: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything but names and runs is asked for."""
        return bool(self.tags) or self.group is not None or self.status is not None

    def fits(self, view: JobView) -> bool:
        """Return whether a job has the tags, the group and the status."""
        if self.group is not None and self.group not in view.groups:
            return False
        if self.status is not None and view.status.lower() != self.status.lower():
            return False
        return all(name in view.tags and value in ("", view.tags[name]) for name, value in self.tags.items())
