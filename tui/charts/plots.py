"""Little plots of one line: durations as heights, failures as marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.states import FAILED
from tui.model.board import End

BLOCKS = "▁▂▃▄▅▆▇█"
FAILURE = "✗"
OTHER = "·"


def ends_line(ends: Iterable[End], width: int) -> str:
    """Return the last ends of a job: a bar as high as the run was long, ✗ for a failure.

    Args:
        width: at most so many ends, the newest at the right.
    """
    shown = list(ends)[-width:]
    longest = max((end.duration_ms or 0 for end in shown), default=0)
    return "".join(_mark(end, longest) for end in shown)


def _mark(end: End, longest: float) -> str:
    if end.status in FAILED:
        return FAILURE
    if end.status != "COMPLETE":
        return OTHER
    return BLOCKS[height(end.duration_ms or 0, longest, len(BLOCKS))]


def height(value: float, most: float, steps: int) -> int:
    """Return which of so many steps a value reaches, from 0."""
    return min(steps - 1, int(value / most * steps)) if most > 0 else 0


def percent_complete(ends: Sequence[End]) -> str:
    """Return how many of the ends that count were COMPLETE, in percent, or a dash."""
    counted = [end for end in ends if end.status == "COMPLETE" or end.status in FAILED]
    if not counted:
        return "—"
    return f"{100 * sum(end.status == 'COMPLETE' for end in counted) // len(counted)}%"


def percentile(values: Iterable[float], share: float) -> float | None:
    """Return the value below which a share (0 to 1) of the values lies, or None without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
