"""A job in a few lines, as the side panel and its own page begin."""

from __future__ import annotations

from collections.abc import Sequence

from engine.calls.permissions import permission_words
from engine.views import JobView
from tui import words
from tui.bars import ProseLine
from tui.board import Board
from tui.jobfacts import held_lines
from tui.joblists import ended_cell, status_cell
from tui.plots import ends_line, percent_complete


def job_summary(job: JobView, board: Board) -> Sequence[ProseLine]:
    """Return what the side panel says of a job."""
    now = board.now()
    ends = tuple(board.ends.get(job.name, ()))
    lines: list[ProseLine] = [
        [(words.clean(job.name), "head")],
        [status_cell(job, now), ("  " + words.first_line(job.reason), "faint")],
        [(words.clean(job.description), "")],
        *held_lines(job),
        [],
        _pair("schedule", job.schedule),
        _pair("next", f"{words.until(job.next_run, now)}  {words.near_moment(job.next_run, now)}"),
        [*_pair("last", f"{words.ago(job.last_run, now)}  "), ended_cell(job)],
        _pair("runs", f"{ends_line(ends, 20)}  {percent_complete(ends)} complete"),
        _pair("tags", words.tags(job.tags) or "—"),
        _pair("groups", ", ".join(job.groups) or "—"),
        _pair("file", job.path),
        _pair("may use", permission_words(job.permissions, job.allow)),
    ]
    return [*lines, *error_lines(job.error)]


def _pair(name: str, value: str) -> list[tuple[str, str]]:
    return [(f"{name:<10}", "faint"), (words.clean(value), "")]


def error_lines(error: str | None) -> list[ProseLine]:
    """Return an error with its Lua traceback, the first line in the shade of failures."""
    if not error:
        return []
    first, *rest = words.clean(error.strip()).splitlines()
    return [[], [("last error", "faint")], [(f"✗ {first}", "bad")], *([(line, "calm")] for line in rest)]
