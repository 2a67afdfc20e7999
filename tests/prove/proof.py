"""What a proof is, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether what was tried held."""

    HELD = "held"
    FELL = "FELL"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a proof.

    Attributes:
        tried: what was done, with numbers, in a few words.
        complaints: what did not hold; empty if all did.
        missing: why it could not be tried at all, or "".
    """

    tried: str
    complaints: tuple[str, ...] = ()
    missing: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.missing:
            return Verdict.NOT_TRIED
        return Verdict.FELL if self.complaints else Verdict.HELD


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to try.

    Attributes:
        seed: all that is random follows from it.
        minutes: for what goes on for as long as it is let.
    """

    seed: int
    minutes: float


@dataclass(frozen=True, slots=True)
class Proof:
    """One row of the table."""

    name: str
    promise: str
    run: Callable[[Effort], Finding]
