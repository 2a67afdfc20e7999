"""What the core calls of a run took, line by line."""

from __future__ import annotations

from typing import Any

from engine.states import FINAL
from engine.views import RunView
from tui.look import words
from tui.widgets.bars import ProseLine
from tui.widgets.grid import fit

#: A name is cut beyond that, so that a line fits 80 columns.
NAME_WIDTH = 28


def call_lines(run: RunView) -> list[ProseLine]:
    """Return the calls of a run in their order, those of one function after another as one line."""
    if not run.calls:
        told = (
            "The run made no core call." if run.status in FINAL else "What its calls took is told at its end."
        )
        return [[(told, "faint")]]
    count, took = sum(one["count"] for one in run.calls), sum(one["ms"] for one in run.calls)
    head = f"{'AT':>8}  {'CALL':<{NAME_WIDTH}} {'COUNT':>6} {'TOOK':>8} {'LONGEST':>8}"
    summed = f"{words.plural(count, 'call')} took {_short(took)} of the run's {_short(run.duration_ms)}"
    lines: list[ProseLine] = [[(summed, "")], [], [(head, "head")]]
    for one in run.calls:
        lines += _line(one)
    return lines


def _line(one: dict[str, Any]) -> list[ProseLine]:
    name = "further calls" if one["call"] == "*" else words.clean(one["call"])
    numbers = f" {one['count']:>6} {_short(one['ms']):>8} {_short(one['longest_ms']):>8}"
    first: ProseLine = [
        (f"{_short(one['at_ms']):>8}  ", "faint"),
        (fit(name, NAME_WIDTH), ""),
        (numbers, ""),
    ]
    if not one["failed"]:
        return [first]
    told = f"{'':>10}✗ {one['failed']} failed: {words.clean(one['error'] or '')}"
    return [first, [(told, "bad")]]


def _short(milliseconds: float | None) -> str:
    if milliseconds is not None and milliseconds < 10:
        return f"{milliseconds:.1f}ms"
    return words.duration(milliseconds)
