"""How planned times stand in lists: what became of each, and why."""

from __future__ import annotations

from engine.views import SlotView
from tui.look import words
from tui.widgets.grid import Cell, Column

_FATES = {
    "planned": ("◔", "calm"),
    "ran": ("✓", "ok"),
    "late": ("!", "late"),
    "skipped": ("»", "late"),
    "missed": ("✗", "bad"),
    "superseded": ("»", "faint"),
}


def fate_cell(slot: SlotView) -> Cell:
    """Return what became of a planned time, with its icon."""
    icon, shade = _FATES.get(slot.fate, ("?", "calm"))
    return f"{icon} {slot.fate}", shade


def slot_columns(*, with_job: bool) -> tuple[Column[SlotView], ...]:
    """Return the columns of the slot ledger of a job, or of all."""
    job: Column[SlotView] = Column("JOB", 20, 1, lambda slot: (words.clean(slot.job), ""))
    return (
        *((job,) if with_job else ()),
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
