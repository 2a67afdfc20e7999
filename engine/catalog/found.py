"""What a job file turned out to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.jobs.jobfile import JobSettings
from engine.jobs.overrides import Overrides
from engine.times.blackout import Blackout
from engine.times.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Found:
    """What one file turned out to be: settings, or the reason why there are none.

    Attributes:
        problems: what is wrong with its settings, each by itself, if that is what is wrong.
        declared: the table of settings that it gives.
        overrides: the operator's settings, with which it was judged.
    """

    name: str
    path: str
    source_hash: str | None = None
    settings: JobSettings | None = None
    schedule: Schedule | None = None
    blackout: Blackout | None = None
    error: str | None = None
    line: int | None = None
    problems: tuple[str, ...] = ()
    declared: Any = None
    overrides: Overrides = field(default_factory=dict)
