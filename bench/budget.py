"""What a change may not worsen: figures as multiples of a floor that is measured beside them.

A noisy machine makes both slower, so that their ratio tells of the code alone. The best of several rounds
counts: other programs can only make a round worse.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class BudgetError(ValueError):
    """The budget file is wrong, or does not fit what was measured."""


class Better(StrEnum):
    """Which ratios are the better ones."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class Budget:
    """What one figure may be.

    Attributes:
        bound: the worst ratio of figure and floor that is accepted.
    """

    name: str
    better: Better
    bound: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one figure.

    Attributes:
        best: the best ratio of all rounds.
    """

    budget: Budget
    best: float

    @property
    def worse(self) -> float:
        """By which part the figure is worse than its budget; below zero, how much is left."""
        if self.budget.better is Better.LOWER:
            return self.best / self.budget.bound - 1
        return self.budget.bound / self.best - 1

    @property
    def kept(self) -> bool:
        """Whether the budget is kept."""
        return self.worse <= 0

    def __str__(self) -> str:
        allowed = "at most" if self.budget.better is Better.LOWER else "at least"
        word = "kept" if self.kept else f"WORSE by {self.worse:.0%}"
        return f"{self.budget.name}: {self.best:.3g} of its floor, {allowed} {self.budget.bound:.3g}: {word}"


def read_budgets(text: str) -> list[Budget]:
    """Return the budgets of a file: a table for each figure, with `most` or `least`.

    Raises:
        BudgetError: it is no TOML, or a table says neither or both, or no number above 0.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BudgetError(str(error)) from error
    return [_budget(name, table) for name, table in tables.items()]


def _budget(name: str, table: object) -> Budget:
    bounds = {"most": Better.LOWER, "least": Better.HIGHER}
    if not isinstance(table, dict) or len(table) != 1 or not set(table) <= set(bounds):
        raise BudgetError(f"[{name}] must have either most or least, and nothing else")
    [(key, bound)] = table.items()
    if isinstance(bound, bool) or not isinstance(bound, int | float) or bound <= 0:
        raise BudgetError(f"[{name}] {key} must be a number above 0")
    return Budget(name, bounds[key], float(bound))


def judge(budgets: Sequence[Budget], ratios: Mapping[str, Sequence[float]]) -> list[Verdict]:
    """Return what came of each budget.

    Args:
        ratios: by figure, of each round the figure divided by its floor.

    Raises:
        BudgetError: a figure has no budget, or a budget no figure.
    """
    named = {budget.name for budget in budgets}
    if strangers := sorted(named ^ ratios.keys()):
        raise BudgetError(f"measured or in the budget, but not both: {', '.join(strangers)}")
    return [Verdict(budget, _best(budget, ratios[budget.name])) for budget in budgets]


def _best(budget: Budget, ratios: Sequence[float]) -> float:
    return min(ratios) if budget.better is Better.LOWER else max(ratios)
