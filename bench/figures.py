"""What a measurement gives: named figures, each with the values of several rounds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work one measurement does.

    Attributes:
        rounds: how often each figure is taken anew.
        seconds: how long one round of a throughput lasts.
        lateness_seconds: how long jobs run on their schedules.
        idle_seconds: how long an idle engine is watched.
        samples: single runs, or calls of a command, in one round.
        files: job files of a large folder.
    """

    rounds: int
    seconds: float
    lateness_seconds: float
    idle_seconds: float
    samples: int
    files: int


FULL = Effort(rounds=3, seconds=5, lateness_seconds=30, idle_seconds=20, samples=300, files=10_000)
QUICK = Effort(rounds=3, seconds=1, lateness_seconds=4, idle_seconds=3, samples=50, files=1_000)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        values: one for each round, in `unit`.
        target: what is wanted, in words; empty where nothing is.
    """

    name: str
    unit: str
    values: Sequence[float]
    target: str = ""

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values)

    def as_dict(self) -> dict[str, Any]:
        """Return the figure as plain data."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "rounds": len(self.values),
            "target": self.target,
        }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that is not below `share` (0 to 1) of all values."""
    ordered = sorted(values)
    return ordered[min(round(share * len(ordered)), len(ordered) - 1)]


def spread_figures(
    name: str, rounds: Sequence[Sequence[float]], *, targets: dict[str, str] | None = None
) -> list[Figure]:
    """Return p50, p99 and max of each round's values, which are milliseconds."""
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return [
        Figure(
            f"{name}, {word}", "ms", [percentile(one, share) for one in rounds], (targets or {}).get(word, "")
        )
        for word, share in shares.items()
    ]


def table(figures: Sequence[Figure]) -> str:
    """Return figures as a table for people."""
    lines = [f"{'figure':<52} {'median':>9} {'min':>9} {'max':>9}  {'unit':<10} target"]
    for figure in figures:
        numbers = " ".join(
            f"{number(value):>9}" for value in (figure.median, min(figure.values), max(figure.values))
        )
        lines.append(f"{figure.name:<52} {numbers}  {figure.unit:<10} {figure.target}".rstrip())
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a number with about three digits that matter."""
    if abs(value) >= 100 or isinstance(value, int):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
