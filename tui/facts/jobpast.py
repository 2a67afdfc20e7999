"""What a wide screen shows beside the overview of a job: its last runs, and how long they took."""

from __future__ import annotations

from engine.views import RunView
from tui.charts.jobcharts import chart_lines
from tui.facts.runlists import note, status_of, took
from tui.look import words
from tui.model.board import Board
from tui.model.jobdata import JobData
from tui.widgets.bars import ProseLine
from tui.widgets.grid import fit

#: What the charts take of a page below the last runs, and the least number of runs above them.
CHART_LINES, LEAST_RUNS = 20, 5
STATUS_WIDTH = 13


def past_lines(data: JobData, board: Board, width: int, height: int) -> list[ProseLine]:
    """Return the last runs of a job with the charts below them, as there is room; nothing before the first.

    Args:
        width: in characters.
        height: in lines.
    """
    if not data.runs:
        return []
    shown = data.runs[: max(LEAST_RUNS, height - CHART_LINES)]
    runs = [_run_line(run, board, width) for run in shown]
    return [[("last runs", "head")], *runs, [], *chart_lines(data, board, width)]


def _run_line(run: RunView, board: Board, width: int) -> ProseLine:
    status, shade = status_of(run)
    started = words.near_moment(run.started or run.due, board.now())
    lead, times = f"{run.id:>6}  ", f"{started:<11} {took(run, board):>6}  "
    text, bad = note(run)
    room = max(1, width - len(lead) - STATUS_WIDTH - len(times))
    return [(lead, "faint"), (fit(status, STATUS_WIDTH), shade), (times, "calm"), (fit(text, room), bad)]
