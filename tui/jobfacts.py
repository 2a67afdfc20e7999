"""What keeps a job from running and what is wrong with it, in lines; and its slot ledger as a list."""

from __future__ import annotations

from collections.abc import Iterable

from engine.views import AlertView, JobView, ScheduleView, SlotView, StateView
from tui import words
from tui.bars import ProseLine
from tui.board import Board
from tui.grid import Cell, Column
from tui.runlists import pretty

_FATES = {
    "planned": ("◔", "calm"),
    "ran": ("✓", "ok"),
    "late": ("!", "late"),
    "skipped": ("»", "late"),
    "missed": ("✗", "bad"),
    "superseded": ("»", "faint"),
}


def held_lines(job: JobView) -> list[ProseLine]:
    """Return a job's pause and its alerts, a line for each."""
    lines: list[ProseLine] = []
    if job.paused:
        lines.append([(f"{words.look('PAUSED').icon} {words.clean(job.paused)}", "late")])
    return [*lines, *map(_alert_line, job.alerts)]


def _alert_line(alert: AlertView) -> ProseLine:
    text = words.first_line(f"{alert.kind}: {alert.reason}")
    if alert.acked is None:
        return [(f"! {text}", "bad")]
    note = f": {alert.note}" if alert.note else ""
    return [(f"· {text}", "late"), (words.clean(f"  known to {alert.acked_by}{note}"), "faint")]


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


def fate_cell(slot: SlotView) -> Cell:
    """Return what became of a planned time, with its icon."""
    icon, shade = _FATES.get(slot.fate, ("?", "calm"))
    return f"{icon} {slot.fate}", shade


def slot_columns() -> tuple[Column[SlotView], ...]:
    """Return the columns of a job's slot ledger."""
    return (
        Column("PLANNED FOR", 19, 1, lambda slot: (words.moment(slot.due), "calm")),
        Column(
            "TIMES", 5, 4, lambda slot: ("all" if slot.count is None else str(slot.count), ""), right=True
        ),
        Column("BECAME", 12, 2, fate_cell),
        Column("RUN", 7, 5, lambda slot: (str(slot.run or "—"), "faint"), right=True),
        Column("LATE", 6, 6, lambda slot: (words.duration(slot.late_ms), "calm"), right=True),
        Column("WHY", 12, 0, lambda slot: (words.first_line(slot.reason or _cause(slot)), "")),
    )


def _cause(slot: SlotView) -> str:
    return slot.cause or (slot.status or "").lower()
