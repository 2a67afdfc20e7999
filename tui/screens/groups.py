"""The groups of jobs: which there are, which are off or paused, and by whom."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from engine.events import HoldChanged, JobsReloaded
from engine.views import GroupView
from tui.deeds import holddeeds
from tui.look import words
from tui.screens.listpage import ListPage, pair
from tui.widgets.bars import Hint, Part, ProseLine
from tui.widgets.grid import Cell, Column, Grid


def state_of(group: GroupView) -> Cell:
    """Return how a group stands, with its icon."""
    if not group.enabled:
        return "⊘ disabled", "late"
    return (f"{words.look('PAUSED').icon} paused", "late") if group.paused else ("● enabled", "ok")


def _why(group: GroupView) -> str:
    if group.enabled:
        return group.paused
    return f"by {group.actor}: {group.note}" if group.note else f"by {group.actor}"


class GroupsScreen(ListPage[GroupView]):
    """All groups, live."""

    HEEDS = (HoldChanged, JobsReloaded)
    EMPTY = 'No job is in a group.\n\nA job file names its own: groups = { "night" }.'
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Its jobs", "screen.open"),
        ("p", "On/off", "screen.switch"),
        ("z", "Pause", "screen.pause"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "List the jobs of the group"),
        Binding("p", "switch", "Disable with a note, or enable again"),
        Binding("z", "pause", "Pause with a note and an end, or resume"),
    ]

    def headline(self) -> Sequence[Part]:
        """Say what is listed."""
        return [(" groups", "name"), ("   jobs that are switched and paused together", "faint")]

    def columns(self) -> Sequence[Column[GroupView]]:
        """Return the columns."""
        return (
            Column("STATE", 11, 1, state_of),
            Column("GROUP", 18, 2, lambda group: (words.clean(group.name), "")),
            Column("JOBS", 5, 3, lambda group: (str(len(group.jobs)), "calm"), right=True),
            Column("AT ONCE", 7, 4, lambda group: (str(group.limit or "—"), "calm"), right=True),
            Column("WHY", 16, 0, lambda group: (words.first_line(_why(group)), "")),
        )

    def key(self, row: GroupView) -> Hashable:
        """Know groups by their name."""
        return row.name

    async def fetch(self, before: GroupView | None) -> list[GroupView]:
        """Ask the engine; all groups come at once."""
        return [] if before is not None else await self.client.holds.groups()

    def about(self, row: GroupView) -> Iterable[ProseLine]:
        """Say all of a group."""
        yield [(words.clean(row.name), "head"), ("  ", ""), state_of(row)]
        if not row.enabled:
            yield pair("disabled", f"{_why(row)}, since {words.moment(row.since)}", "late")
        if row.paused:
            yield pair("paused", row.paused, "late")
        yield pair("at once", f"{row.limit or 'as many as the pool holds'}")
        yield pair("jobs", ", ".join(row.jobs) or "—")

    @on(Grid.Opened)
    def action_open(self) -> None:
        """List the jobs of the group under the cursor."""
        if (group := self.grid.cursor_row) is not None:
            self.context.guide.list_jobs(f"group:{group.name}")

    @work
    async def action_switch(self) -> None:
        """Disable or enable the group under the cursor."""
        if (group := self.grid.cursor_row) is not None:
            await holddeeds.switch_group(self, group)
            self.fetch_anew()

    @work
    async def action_pause(self) -> None:
        """Pause or resume the group under the cursor."""
        if (group := self.grid.cursor_row) is not None:
            await holddeeds.pause_group(self, group)
            self.fetch_anew()
