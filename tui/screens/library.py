"""The library: the modules in jobs/lib that jobs share, and who uses each."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from engine.events import JobsReloaded, RunFinished
from engine.views import ModuleView
from tui.look import words
from tui.model.places import ModulePlace
from tui.screens.listpage import ListPage, pair
from tui.widgets.bars import Hint, Part, ProseLine
from tui.widgets.grid import Cell, Column, Grid


def state_of(module: ModuleView) -> Cell:
    """Return how a module stands, with its icon."""
    if module.problem:
        return "✗ missing" if "no such" in module.problem else "✗ unusable", "bad"
    if module.stale:
        return "! changed", "late"
    return ("● in use", "ok") if module.jobs else ("· unused", "faint")


class LibraryScreen(ListPage[ModuleView]):
    """All library modules."""

    HEEDS = (JobsReloaded, RunFinished)
    EMPTY = 'There are no modules.\n\nlib/money.lua in the jobs folder is what require "lib.money" loads.'
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Code", "screen.open"),
        ("o", "Jobs that use it", "screen.jobs"),
        ("y", "Copy hash", "screen.copy"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "open", "Show the code"),
        Binding("o", "jobs", "List the jobs that use it"),
        Binding("y", "copy", "Copy the hash"),
    ]

    def headline(self) -> Sequence[Part]:
        """Say what is listed."""
        return [
            (" library", "name"),
            ("   modules that jobs share; “changed” is told by the next reload", "faint"),
        ]

    def columns(self) -> Sequence[Column[ModuleView]]:
        """Return the columns."""
        now = self.board.now
        return (
            Column("STATE", 10, 1, state_of),
            Column("MODULE", 20, 2, lambda module: (words.clean(module.name), "")),
            Column("JOBS", 5, 3, lambda module: (str(len(module.jobs)), "calm"), right=True),
            Column("CHANGED", 11, 4, lambda module: (words.near_moment(module.changed, now()), "calm")),
            Column("SIZE", 8, 6, lambda module: (words.size(module.size), "faint"), right=True),
            Column("HASH", 12, 5, lambda module: ((module.hash or "—")[:12], "faint")),
            Column("USED BY", 12, 0, lambda module: (words.clean(", ".join(module.jobs)) or "—", "")),
        )

    def key(self, row: ModuleView) -> Hashable:
        """Know modules by their names."""
        return row.name

    async def fetch(self, before: ModuleView | None) -> list[ModuleView]:
        """Ask the engine; all modules come at once."""
        return [] if before is not None else await self.client.overview.library()

    def about(self, row: ModuleView) -> Iterable[ProseLine]:
        """Say all of a module."""
        yield [(words.clean(row.name), "head"), ("  ", ""), state_of(row)]
        if row.problem:
            yield [(words.clean(row.problem), "bad")]
        yield pair("file", row.path)
        yield pair("changed", words.moment(row.changed))
        yield pair("hash", row.hash or "—")
        yield pair("used by", ", ".join(row.jobs) or "no job, as far as is known")
        if row.stale:
            yield pair("stale for", ", ".join(row.stale), "late")

    @on(Grid.Opened)
    def action_open(self) -> None:
        """Show the code of the module under the cursor."""
        if (module := self.grid.cursor_row) is not None:
            self.go(ModulePlace(module.name))

    def action_jobs(self) -> None:
        """List the jobs that use the module under the cursor."""
        module = self.grid.cursor_row
        if module is None or not module.jobs:
            self.warn("no job is known to use it")
            return
        self.context.guide.list_jobs(f"job:{','.join(module.jobs)}")

    def action_copy(self) -> None:
        """Copy the hash of the module under the cursor."""
        module = self.grid.cursor_row
        if module is not None and module.hash:
            self.copy(module.hash, f"{module.hash[:12]}…")
