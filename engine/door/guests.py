"""Who is in: how many may be, and how long one may do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from engine.door.keys import Key


class Visit(Protocol):
    """One session, as those see it who may end it."""

    @property
    def key(self) -> Key:
        """What it came in with."""

    @property
    def idle_since(self) -> float:
        """When something was typed last, by the monotonic clock."""

    def end(self, reason: str) -> None:
        """Let it go, and tell the person why."""


@dataclass(slots=True)
class Guests:
    """All sessions of a door.

    Attributes:
        most: so many at once.
        most_of_one: so many at once with the same key.
    """

    most: int
    most_of_one: int
    inside: set[Visit] = field(default_factory=set)

    def why_full(self, key: Key) -> str:
        """Say why there is no room for one more session, or ""."""
        if len(self.inside) >= self.most:
            return f"all {self.most} sessions are taken (ssh.sessions); try again later"
        if sum(visit.key.blob == key.blob for visit in self.inside) >= self.most_of_one:
            return f"{self.most_of_one} sessions of this key are open (ssh.sessions_per_key); leave one first"
        return ""

    @contextmanager
    def entered(self, visit: Visit) -> Iterator[None]:
        """Count a session in, for the length of the block."""
        self.inside.add(visit)
        try:
            yield
        finally:
            self.inside.discard(visit)

    def end_idle(self, before: float) -> None:
        """End the sessions in which nothing was typed since a moment of the monotonic clock."""
        for visit in tuple(self.inside):
            if visit.idle_since < before:
                visit.end("nothing was typed for a long time (ssh.idle)")

    def end_all(self, reason: str) -> None:
        """End all sessions."""
        for visit in tuple(self.inside):
            visit.end(reason)
