"""The charts on the page of a job: how long its runs took, and how they ended."""

from __future__ import annotations

from datetime import timedelta

from tui.charts.timeplots import LABEL, Span, duration_lines, outcome_lines
from tui.model.board import Board
from tui.model.jobdata import JobData
from tui.widgets.bars import ProseLine

DURATION_ROWS = 8


def chart_lines(data: JobData, board: Board, width: int) -> list[ProseLine]:
    """Return the charts of a job.

    Args:
        width: in characters.
    """
    lines: list[ProseLine] = [[("how long runs took", "head")]]
    lines += duration_lines(data.runs, width, DURATION_ROWS)
    ended = [run.finished for run in data.runs if run.finished is not None]
    if not ended:
        return lines
    # A second more, so that what ended just now lies inside.
    until = max(board.now(), *ended) + timedelta(seconds=1)
    span = Span(min(ended), until, max(20, width - LABEL - 6))
    return [*lines, [], [("how runs ended", "head")], *outcome_lines(data.runs, span)]
