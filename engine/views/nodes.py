"""What is shown of the engines and workers that share a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NodeView:
    """One engine or worker.

    Attributes:
        kind: engine or worker.
        state: leading, standby, working, draining, gone, or silent if it has not been heard of for too long.
        addresses: where other engines reach its API: paths of Unix sockets, and URLs.
        slots: how many runs it carries out at once; None for any number.
        tags: what it offers to runs.
        running: how many runs it carries out now.
        started, heartbeat: by the database's clock.
        silent_seconds: since it was last heard of.
        clock_ahead: seconds by which its clock is ahead of the database's, as far as that is certain.
        drain: whether it was asked to take nothing new.
        warnings: what is wrong with it, in words.
    """

    name: str
    kind: str
    state: str
    host: str
    home: str
    pid: int
    version: str
    addresses: list[str]
    slots: int | None
    tags: list[str]
    running: int
    started: datetime
    heartbeat: datetime
    silent_seconds: float
    clock_ahead: float
    drain: bool
    warnings: list[str] = field(default_factory=list)
