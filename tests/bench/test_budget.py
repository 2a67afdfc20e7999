"""The budget of what code may cost: what got worse is named, and a file that does not fit is refused."""

from __future__ import annotations

import pytest

from bench.budget import Better, Budget, BudgetError, judge, read_budgets
from bench.check import BUDGET

COST = Budget("cost", Better.LOWER, 2.0)
SPEED = Budget("speed", Better.HIGHER, 0.5)


@pytest.mark.parametrize(
    ("cost", "speed", "kept"),
    [
        ([1.0], [1.0], [True, True]),
        ([2.0], [0.5], [True, True]),
        ([2.5], [0.5], [False, True]),
        ([2.0], [0.4], [True, False]),
        ([9.0, 2.0, 3.0], [0.1, 0.6, 0.2], [True, True]),
    ],
)
def test_the_best_round_is_held_against_the_bound(
    cost: list[float], speed: list[float], kept: list[bool]
) -> None:
    verdicts = judge([COST, SPEED], {"cost": cost, "speed": speed})
    assert [verdict.kept for verdict in verdicts] == kept


def test_what_got_worse_is_named_with_by_how_much() -> None:
    cost, speed = judge([COST, SPEED], {"cost": [3.0], "speed": [0.25]})
    assert str(cost) == "cost: 3 of its floor, at most 2: WORSE by 50%"
    assert str(speed) == "speed: 0.25 of its floor, at least 0.5: WORSE by 100%"


def test_a_figure_without_a_budget_and_a_budget_without_a_figure_are_errors() -> None:
    with pytest.raises(BudgetError, match="cost, other"):
        judge([COST, SPEED], {"speed": [1.0], "other": [1.0]})


def test_a_budget_says_most_or_least() -> None:
    assert read_budgets("a.most = 2\nb.least = 0.5") == [
        Budget("a", Better.LOWER, 2.0),
        Budget("b", Better.HIGHER, 0.5),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a = 1",
        "[a]",
        "a.most = 1\na.least = 1",
        "a.best = 1",
        "a.most = '1'",
        "a.most = true",
        "a.most = 0",
        "[",
    ],
)
def test_a_file_that_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(BudgetError):
        read_budgets(text)


def test_the_budget_of_the_project_can_be_read() -> None:
    assert read_budgets(BUDGET.read_text("utf-8"))
