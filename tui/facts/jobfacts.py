"""What keeps a job from running and what is wrong with it, in lines."""

from __future__ import annotations

from collections.abc import Iterable

from engine.views import AlertView, ListedJob, ScheduleView, StateView
from tui.facts.runlists import pretty
from tui.look import words
from tui.model.board import Board
from tui.widgets.bars import ProseLine


def held_lines(job: ListedJob) -> list[ProseLine]:
    """Return a job's pause and its alerts, and who knows of them."""
    lines: list[ProseLine] = []
    if job.paused:
        lines.append([(f"{words.look('PAUSED').icon} {words.clean(job.paused)}", "late")])
    error = words.first_line(job.error)
    return [*lines, *(line for alert in job.alerts for line in _alert_lines(alert, error))]


def _alert_lines(alert: AlertView, error: str) -> list[ProseLine]:
    reason = words.first_line(alert.reason)
    # The engine keeps the beginning of a long one; what stands below as the last error is not told twice.
    is_told = bool(reason) and error.startswith(reason.removesuffix("..."))
    text = words.clean(alert.kind) if is_told else words.first_line(f"{alert.kind}: {reason}")
    if alert.acked is None:
        return [[(f"! {text}", "bad")]]
    note = f": {alert.note}" if alert.note else ""
    return [[(f"· {text}", "late")], [(words.clean(f"  known to {alert.acked_by}{note}"), "faint")]]


def schedule_lines(views: Iterable[ScheduleView], board: Board) -> list[ProseLine]:
    """Return the schedules that were given to a job at run time, under a heading; nothing without any."""
    lines = [
        [
            (f"  {words.clean(view.schedule)}", ""),
            (f"  {words.until(view.due, board.now())}", "calm"),
            (words.clean(f"  {view.id} by {view.created_by}"), "faint"),
        ]
        for view in views
    ]
    return [[], [("schedules given at run time", "faint")], *lines] if lines else []


def state_lines(views: Iterable[StateView]) -> list[ProseLine]:
    """Return what a job keeps from one run to the next."""
    lines: list[ProseLine] = []
    for view in views:
        name = "LASTING: stays for good" if view.lasting else "STATE: goes when a run ends COMPLETE"
        lines.append([(name, "head")])
        if view.value is None:
            lines += [[("nothing is kept", "faint")], []]
            continue
        by = f"run {view.run_id}" if view.run_id else "an operator"
        lines += [[(f"kept {words.moment(view.updated)} by {by}", "faint")], *pretty(view.value), []]
    return lines
