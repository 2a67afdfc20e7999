"""What is wrong with jobs: the alerts that go on, or all that were."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from engine.events import AlertEnded, AlertRaised, JobsReloaded
from engine.views import AlertView
from tui.deeds import holddeeds
from tui.look import words
from tui.page import Context
from tui.screens.listpage import PAGE_ROWS, ListPage, pair
from tui.widgets.bars import Hint, Part, ProseLine
from tui.widgets.grid import Cell, Column, Grid


def state_of(alert: AlertView) -> Cell:
    """Return how an alert stands, with its icon."""
    if alert.ended is not None:
        return "✓ over", "ok"
    return ("· known", "calm") if alert.acked is not None else ("! goes on", "bad")


class AlertsScreen(ListPage[AlertView]):
    """Alerts, live."""

    HEEDS = (AlertRaised, AlertEnded, JobsReloaded)
    EMPTY = "Nothing is wrong with any job.\n\nv shows the alerts that are over."
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Open job", "screen.open"),
        ("l", "Run", "screen.log"),
        ("x", "Acknowledge", "screen.acknowledge"),
        ("v", "All", "screen.all"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open the job"),
        Binding("l", "log", "Open the run that showed it"),
        Binding("x", "acknowledge", "Acknowledge, with a note"),
        Binding("v", "all", "Show also what is over, or only what goes on"),
        Binding("space", "mark", "Mark; acknowledging then goes to all marked"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._all = False

    def headline(self) -> Sequence[Part]:
        """Say what is listed."""
        listed = "those that are over too" if self._all else "what is wrong with jobs now"
        return [(" alerts", "name"), (f"   {listed}", "faint")]

    def columns(self) -> Sequence[Column[AlertView]]:
        """Return the columns."""
        now = self.board.now
        return (
            Column("STATE", 9, 1, state_of),
            Column("JOB", 20, 2, lambda alert: (words.clean(alert.job), "")),
            Column("WHAT", 9, 3, lambda alert: (words.clean(alert.kind), "late")),
            Column("SINCE", 11, 4, lambda alert: (words.near_moment(alert.since, now()), "calm")),
            Column("SEEN", 5, 6, lambda alert: (str(alert.count), "calm"), right=True),
            Column("REASON", 16, 0, lambda alert: (words.first_line(alert.reason), "")),
        )

    def key(self, row: AlertView) -> Hashable:
        """Know alerts by their number."""
        return row.id

    async def fetch(self, before: AlertView | None) -> list[AlertView]:
        """Ask the engine, the newest first."""
        return await self.client.alerts.list(
            ended=self._all, before=None if before is None else before.id, limit=PAGE_ROWS
        )

    def about(self, row: AlertView) -> Iterable[ProseLine]:
        """Say all of an alert."""
        now = self.board.now()
        yield [(words.clean(f"{row.job} is {row.kind}"), "head")]
        yield [(words.clean(row.reason), "late")]
        yield pair("since", f"{words.moment(row.since)}, seen {row.count}×, last {words.ago(row.last, now)}")
        if row.acked is not None:
            note = f": {row.note}" if row.note else ""
            yield pair("known to", f"{row.acked_by or '?'} since {words.near_moment(row.acked, now)}{note}")
        if row.ended is not None:
            lasted = words.span(row.lasted_seconds or 0.0)
            yield pair("over", f"{words.moment(row.ended)}, after {lasted}; {row.end_reason or ''}")
        yield pair("told", words.moment(row.told) if row.told else "nobody so far")
        if row.trouble:
            yield pair("not told", row.trouble, "bad")

    @on(Grid.Opened)
    def action_open(self) -> None:
        """Open the job of the alert under the cursor."""
        if (alert := self.grid.cursor_row) is not None:
            self.open_job(alert.job)

    def action_log(self) -> None:
        """Open the run that showed the alert."""
        alert = self.grid.cursor_row
        if alert is not None and alert.run is not None:
            self.open_run(alert.run)
        elif alert is not None:
            self.warn("no run showed it")

    def action_mark(self) -> None:
        """Mark the alert under the cursor, or take its mark away."""
        self.grid.mark()

    def action_all(self) -> None:
        """Show also the alerts that are over, or only those that go on."""
        self._all = not self._all
        self.start_over()

    @work
    async def action_acknowledge(self) -> None:
        """Acknowledge the chosen alerts."""
        await holddeeds.acknowledge(self, self.grid.chosen())
        self.fetch_anew()
