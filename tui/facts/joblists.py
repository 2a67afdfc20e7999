"""How jobs stand in lists: their cells and their columns."""

from __future__ import annotations

from datetime import datetime

from engine.states import Activity
from engine.views import ListedJob
from tui.charts.plots import ends_line, percent_complete
from tui.look import words
from tui.look.schedulewords import brief_schedule
from tui.model.board import Board
from tui.widgets.grid import Cell, Column


def status_cell(job: ListedJob, now: datetime) -> Cell:
    """Return a job's status as the list shows it: what it does now, or else how it stands."""
    if job.activity != Activity.IDLE:
        return _looked(job.activity.upper())
    if job.paused and job.status not in ("INACTIVE", "INVALID"):
        return _looked("PAUSED")
    if words.is_late(job, now):
        return "! late", "late"
    if job.status == "INACTIVE" and job.error is not None:
        return f"{words.look(job.status).icon} inactive", "bad"
    return _looked(job.status)


def _looked(status: str) -> Cell:
    look = words.look(status)
    return f"{look.icon} {status.lower()}", look.shade


def name_cell(job: ListedJob) -> Cell:
    """Return a job's name, with a sign where an alert goes on that nobody acknowledged."""
    name = words.clean(job.name)
    return (f"! {name}", "late") if words.is_alarming(job) else (name, "")


def ended_cell(job: ListedJob) -> Cell:
    """Return how a job's last run ended."""
    return ("—", "faint") if job.last_status is None else _looked(job.last_status)


def job_columns(board: Board) -> tuple[Column[ListedJob], ...]:
    """Return the columns of the list; the ones with a high rank go first when there is no room."""

    def ends(job: ListedJob) -> Cell:
        return ends_line(board.ends.get(job.name, ()), 10), "calm"

    def share(job: ListedJob) -> Cell:
        return percent_complete(tuple(board.ends.get(job.name, ()))), "calm"

    return (
        Column("STATUS", 11, 1, lambda job: status_cell(job, board.now())),
        Column("JOB", 16, 0, name_cell),
        Column("SCHEDULE", 15, 5, lambda job: (words.first_line(brief_schedule(job.schedule)), "calm")),
        Column("NEXT", 8, 3, lambda job: (words.until_next(job, board.now()), "calm"), right=True),
        Column("LAST", 8, 4, lambda job: (words.ago(job.last_run, board.now()), "faint"), right=True),
        Column("ENDED", 11, 2, ended_cell),
        Column("TOOK", 6, 6, lambda job: (words.duration(board.last_duration(job.name)), "calm"), right=True),
        Column("OK", 4, 7, share, right=True),
        Column("LAST RUNS", 10, 8, ends),
        Column("GROUPS", 12, 10, lambda job: (words.clean(", ".join(job.groups)), "faint")),
        Column("TAGS", 14, 9, lambda job: (words.tags(job.tags), "faint")),
    )
