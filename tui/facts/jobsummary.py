"""A job in a few lines, as the side panel and its own page begin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.calls.permissions import permission_words
from engine.views import ListedJob
from tui.charts.plots import ends_line, percent_complete
from tui.facts.jobfacts import held_lines
from tui.facts.joblists import ended_cell, status_cell
from tui.look import words
from tui.look.schedulewords import said_schedule
from tui.model.board import Board, End
from tui.widgets.bars import ProseLine


def job_summary(job: ListedJob, board: Board) -> Sequence[ProseLine]:
    """Return what the side panel says of a job."""
    now = board.now()
    ends = tuple(board.ends.get(job.name, ()))
    lines: list[ProseLine] = [
        [(words.clean(job.name), "head")],
        [status_cell(job, now), (f"  {_reason(job)}", "faint")],
        [(words.clean(job.description), "")],
        *held_lines(job),
        [],
        _pair("schedule", said_schedule(job.schedule)),
        _pair("next", _next_run(job, now)),
        [*_pair("last", _last_run(job, now)), ended_cell(job)],
        _pair("runs", _past_runs(ends)),
        _pair("tags", words.tags(job.tags) or "—"),
        _pair("groups", ", ".join(job.groups) or "—"),
        _pair("file", job.path),
        _pair("may use", permission_words(job.permissions, job.allow)),
    ]
    return [*lines, *error_lines(job.error)]


def _reason(job: ListedJob) -> str:
    """Return why a job stands as it does, where its last error does not say the same."""
    reason = words.first_line(job.reason)
    return "" if reason and reason == words.first_line(job.error) else reason


def _next_run(job: ListedJob, now: datetime) -> str:
    if job.paused:
        return "— while it is paused"
    parts = (words.until(job.next_run, now), words.near_moment(job.next_run, now))
    return "  ".join(parts) if job.next_run else "—"


def _last_run(job: ListedJob, now: datetime) -> str:
    # How it ended stands behind it, which is a dash without a run.
    return f"{words.ago(job.last_run, now)}  " if job.last_run else ""


def _past_runs(ends: Sequence[End]) -> str:
    return f"{ends_line(ends, 20)}  {percent_complete(ends)} complete" if ends else "none so far"


def _pair(name: str, value: str) -> list[tuple[str, str]]:
    return [(f"{name:<10}", "faint"), (words.clean(value), "")]


def error_lines(error: str | None) -> list[ProseLine]:
    """Return an error with its Lua traceback, the first line in the shade of failures."""
    if not error:
        return []
    first, *rest = words.clean(error.strip()).splitlines()
    return [[], [("last error", "faint")], [(f"✗ {first}", "bad")], *([(line, "calm")] for line in rest)]
