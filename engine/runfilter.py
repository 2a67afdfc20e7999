"""Which runs are asked for: a plain value, the same in the command line, the API and the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.states import RunStatus, Trigger

#: What stands for any characters, and for any one, in the pattern of a job's name.
WILD = frozenset("*?")


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What runs must be like; what is not given does not count.

    Attributes:
        job: a job's name, or a pattern with `*` and `?` such as `admin/*`.
        statuses: any of these. PLANNED runs are left out unless their status is among them.
        triggers: any of these.
        since: made at this time or later (planned ones: due).
        until: made before this time.
        tag: of a job that has this tag now: its name, its value, or `name=value`.
        user_id: for this user.
        text: words in their error or log (see `engine.store.search.parse_phrases`).
    """

    job: str | None = None
    statuses: tuple[RunStatus, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    tag: str | None = None
    user_id: int | None = None
    text: str | None = None


def of_job(job: str | None, status: RunStatus | None) -> RunFilter:
    """Return the filter for the runs of one job, or of all (None), in one status or in any (None)."""
    return RunFilter(job=job, statuses=(status,) if status else ())


def is_pattern(job: str) -> bool:
    """Return whether it stands for several jobs' names."""
    return not WILD.isdisjoint(job)


def has_tag(tags: dict[str, str], wanted: str) -> bool:
    """Return whether tags hold the one that is asked for by name, by value, or as `name=value`."""
    name, equals, value = wanted.partition("=")
    if equals:
        return tags.get(name) == value
    return wanted in tags or wanted in tags.values()
