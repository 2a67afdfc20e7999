"""What the core calls of a run took, line by line."""

from __future__ import annotations

from typing import Any

from engine.states import FINAL
from engine.views import RunView
from tui.look import words
from tui.model.board import Board
from tui.widgets.bars import ProseLine
from tui.widgets.grid import fit

#: A name is cut beyond that, so that a line fits 80 columns.
NAME_WIDTH = 28


def call_lines(run: RunView, board: Board) -> list[ProseLine]:
    """Return the calls of a run in their order, those of one function after another as one line."""
    if not run.calls:
        return [[(_without_any(run), "faint")]]
    head = f"{'AT':>8}  {'CALL':<{NAME_WIDTH}} {'COUNT':>6} {'TOOK':>8} {'LONGEST':>8}"
    lines: list[ProseLine] = [[(_summed(run, run.calls, board), "")], [], [(head, "head")]]
    for one in run.calls:
        lines += _line(one)
    return lines


def _without_any(run: RunView) -> str:
    if run.status in FINAL:
        return "The run made no core call."
    if run.started is None:
        return "The run has not started."
    if run.calls is None:
        return "What its calls took is told at its end, as it goes on elsewhere."
    return "The run has made no core call so far."


def _summed(run: RunView, calls: list[dict[str, Any]], board: Board) -> str:
    made, took = words.plural(sum(one["count"] for one in calls), "call"), sum(one["ms"] for one in calls)
    if run.status in FINAL or run.started is None:
        return f"{made} took {_short(took)} of the run's {_short(run.duration_ms)}"
    passed = (board.now() - run.started).total_seconds() * 1000
    return f"{made} took {_short(took)} of the run's {_short(passed)} so far"


def _line(one: dict[str, Any]) -> list[ProseLine]:
    name = "further calls" if one["call"] == "*" else words.clean(one["call"])
    numbers = f" {one['count']:>6} {_short(one['ms']):>8} {_short(one['longest_ms']):>8}"
    shade = "busy" if one.get("going") else ""
    first: ProseLine = [
        (f"{_short(one['at_ms']):>8}  ", "faint"),
        (fit(name, NAME_WIDTH), shade),
        (numbers, shade),
    ]
    if one.get("going"):
        return [first, [(f"{'':>10}▶ no answer yet", shade)]]
    if not one["failed"]:
        return [first]
    told = f"{'':>10}✗ {one['failed']} failed: {words.clean(one['error'] or '')}"
    return [first, [(told, "bad")]]


def _short(milliseconds: float | None) -> str:
    if milliseconds is not None and milliseconds < 10:
        return f"{milliseconds:.1f}ms"
    return words.duration(milliseconds)
