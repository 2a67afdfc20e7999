"""Load: thousands of schedules and hostile jobs for as long as it is let; an hour is the long form."""

from __future__ import annotations

from tests.hostile.attack import read_corpus
from tests.hostile.crowd import carry_out
from tests.prove.proof import Effort, Finding, Proof


def proofs() -> list[Proof]:
    """Return the row about load."""
    promise = "no planned time is missing, and memory and handles stay as they are"
    return [Proof("load: 6,000 schedules, hostile jobs", promise, _loaded)]


def _loaded(effort: Effort) -> Finding:
    outcome = carry_out(read_corpus(), effort.seed, effort.minutes * 60)
    return Finding(str(outcome), tuple(outcome.complaints))
