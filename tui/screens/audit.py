"""What operators did: who, when, what, and what changed by it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from engine.events import (
    AlertEnded,
    EngineStateChanged,
    HoldChanged,
    JobChanged,
    JobsReloaded,
    RunFinished,
    RunQueued,
)
from engine.views import AuditView
from tui.facts.runlists import pretty_pair
from tui.look import words
from tui.screens.listpage import PAGE_ROWS, ListPage, pair
from tui.widgets.bars import Hint, Part, ProseLine
from tui.widgets.filterline import FilterLine
from tui.widgets.grid import Column, Grid

NOTHING = "No operator did anything so far."
NO_MATCH = "No action matches “{}”.\n\nEsc clears the filter."


def asked(text: str) -> dict[str, str]:
    """Return what a filter asks for: `who:anna`, and a target as a word or as `target:report`."""
    wanted = {}
    for word in text.split():
        field, colon, rest = word.partition(":")
        if colon and field in ("who", "target"):
            if rest:
                wanted[field] = rest
        else:
            wanted["target"] = word
    return wanted


class AuditScreen(ListPage[AuditView]):
    """Operators' actions, the newest first; older ones come when the cursor reaches the end."""

    HEEDS = (AlertEnded, EngineStateChanged, HoldChanged, JobChanged, JobsReloaded, RunFinished, RunQueued)
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Open job or run", "screen.open"),
        ("/", "Filter", "screen.filter"),
        ("r", "Refresh", "screen.refresh_rows"),
        ("esc", "Back", "screen.clear_or_back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter: who:anna, report or target:report", key_display="/"),
        Binding("o", "open", "Open the job or run that it was done to"),
        Binding("escape", "clear_or_back", "Clear the filter, then back"),
    ]

    def headline(self) -> Sequence[Part]:
        """Say what is listed."""
        return [(" audit", "name"), ("   what operators did", "faint")]

    def nothing(self) -> str:
        """Tell an empty trail from a filter that fits nothing."""
        return NO_MATCH.format(words.clean(self.filter)) if self.filter else NOTHING

    def above(self) -> Iterable[Widget]:
        """Hold the filter."""
        yield FilterLine("who:anna, a job or another target; Enter asks the engine")

    def columns(self) -> Sequence[Column[AuditView]]:
        """Return the columns."""
        now = self.board.now
        return (
            Column("WHEN", 11, 1, lambda view: (words.near_moment(view.at, now()), "calm")),
            Column("WHO", 18, 3, lambda view: (words.clean(view.actor), "")),
            Column("WAY", 6, 5, lambda view: (words.clean(view.origin), "faint")),
            Column("ACTION", 16, 2, lambda view: (words.clean(view.action), "")),
            Column("TARGET", 16, 0, lambda view: (words.first_line(view.target) or "—", "")),
        )

    def key(self, row: AuditView) -> Hashable:
        """Know actions by their number."""
        return row.id

    @property
    def filter(self) -> str:
        """What is typed into the filter."""
        return self.query_one(FilterLine).value

    async def fetch(self, before: AuditView | None) -> list[AuditView]:
        """Ask the engine."""
        wanted = asked(self.filter)
        return await self.client.audit.entries(
            who=wanted.get("who"),
            target=wanted.get("target"),
            before=None if before is None else before.id,
            limit=PAGE_ROWS,
        )

    def about(self, row: AuditView) -> Iterable[ProseLine]:
        """Say all of an action."""
        yield [(words.clean(f"{row.action} {row.target}".strip()), "head")]
        yield pair("who", f"{row.actor}, by {row.origin}, {words.moment(row.at)}")
        for name, value in (("before", row.before), ("after", row.after)):
            if isinstance(value, str):
                yield pair(name, value)
            elif value is not None:
                yield from pretty_pair(name, value)

    @on(Grid.Opened)
    def action_open(self) -> None:
        """Open the job or run that the action was done to."""
        row = self.grid.cursor_row
        if row is None:
            return
        if row.target.isdigit() and "run" in row.action:
            self.open_run(int(row.target))
        elif row.target in self.board.jobs:
            self.open_job(row.target)
        else:
            self.warn("it was not done to a job or a run that is still there")

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).open()

    def action_clear_or_back(self) -> None:
        """Clear the filter; without one, go back."""
        if self.filter:
            self.query_one(FilterLine).action_drop()
        else:
            self.action_back()

    @on(Input.Changed)
    def _filter_typed(self) -> None:
        if not self.filter:
            self.start_over()

    @on(Input.Submitted)
    def action_leave_filter(self) -> None:
        """Ask for what is typed, and go to the list."""
        self.set_focus(self.grid)
        self.start_over()
