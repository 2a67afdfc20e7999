"""The list of runs of all jobs, the newest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from engine.states import RunStatus
from engine.views import RunView
from tui import deeds, words
from tui.bars import Hint
from tui.filters import Term, parse, run_fits
from tui.grid import Grid
from tui.page import Context, FilterLine, Page
from tui.runlists import run_columns

PAGE_RUNS = 300

NO_RUNS = "Nothing has run yet.\n\nEsc goes back to the jobs; r runs one."
NO_MATCH = "No run matches “{}”.\n\nEsc clears the filter."


class RunsScreen(Page):
    """All runs, live; older ones come when the cursor reaches the end."""

    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Open", "screen.open"),
        ("/", "Filter", "screen.filter"),
        ("K", "Cancel", "screen.cancel"),
        ("x", "Run again", "screen.again"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter: words, status:error, job:report, !not", key_display="/"),
        Binding("K", "cancel", "Cancel runs that wait or go on"),
        Binding("x", "again", "Run again with the same data"),
        Binding("space", "mark", "Mark; cancel then goes to all marked"),
        Binding("y", "copy", "Copy the error"),
        Binding("escape", "clear_or_back", "Clear the filter, then back"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._runs: list[RunView] = []
        self._drawn = -1
        self._all_here = False

    def body(self) -> Iterable[Widget]:
        """Hold the filter and the list."""
        yield FilterLine("words, status:error, job:report, !not")
        columns = run_columns(self.board, with_job=True)
        yield Grid(columns, lambda run: run.id, empty="Fetching the runs …", id="runs")

    @property
    def grid(self) -> Grid[RunView]:
        """The list."""
        return self.query_one("#runs", Grid)

    @property
    def filter(self) -> str:
        """What is typed into the filter."""
        return self.query_one(FilterLine).value

    # Following the engine

    def tick(self) -> None:
        """Fetch the newest runs if there are others now."""
        if self._drawn != self.board.runs_edition and self.board.is_live:
            self._drawn = self.board.runs_edition
            self._fetch()
        self.grid.redraw_changes()

    @work(exclusive=True, group="fetch")
    async def _fetch(self) -> None:
        """Fetch the newest runs; the older ones that were fetched before stay."""
        async with self.telling():
            job, status = self._asked()
            newest = await self.client.runs(job=job, status=status, limit=PAGE_RUNS)
            oldest = newest[-1].id if newest else 0
            self._all_here = self._all_here or len(newest) < PAGE_RUNS
            self._runs = [*newest, *(run for run in self._runs if run.id < oldest)]
            self._list_anew()

    @work(exclusive=True, group="older")
    async def _fetch_older(self) -> None:
        async with self.telling():
            job, status = self._asked()
            before = self._runs[-1].id
            older = await self.client.runs(job=job, status=status, before=before, limit=PAGE_RUNS)
            self._all_here = len(older) < PAGE_RUNS
            self._runs = [*self._runs, *(run for run in older if run.id < self._runs[-1].id)]
            self._list_anew()

    def _asked(self) -> tuple[str | None, RunStatus | None]:
        """Return the part of the filter that the engine applies itself: a whole name, a whole status."""
        wanted = {term.field: term.text for term in parse(self.filter) if term.wanted}
        names = {name.lower(): name for name in self.board.jobs}
        statuses = {status.value.lower(): status for status in RunStatus}
        return names.get(wanted.get("job", "")), statuses.get(wanted.get("status", ""))

    def _list_anew(self) -> None:
        terms: tuple[Term, ...] = parse(self.filter)
        self.grid.say_empty(NO_MATCH.format(words.clean(self.filter)) if terms else NO_RUNS)
        self.grid.show_rows([run for run in self._runs if run_fits(run, terms)])

    @on(Grid.Moved)
    def _moved(self) -> None:
        rows = self.grid.rows
        if rows and self.grid.cursor_row is rows[-1] and len(rows) > 1 and not self._all_here:
            self._fetch_older()

    @on(Input.Changed)
    def _filter_typed(self) -> None:
        self._all_here = False
        self._runs = []
        self._fetch()

    @on(Input.Submitted)
    def action_leave_filter(self) -> None:
        """Go from the filter to the list."""
        self.set_focus(self.grid)

    # Actions

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).open()

    def action_clear_or_back(self) -> None:
        """Clear the filter; without one, go back."""
        if self.filter:
            self.query_one(FilterLine).action_drop()
        else:
            self.action_back()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away."""
        self.grid.mark()

    @on(Grid.Opened)
    def action_open(self) -> None:
        """Open the run under the cursor."""
        if (run := self.grid.cursor_row) is not None:
            from tui.run import RunScreen

            self.app.push_screen(RunScreen(self.context, run.id))

    @work
    async def action_cancel(self) -> None:
        """Cancel the chosen runs."""
        await deeds.cancel_runs(self, self.grid.chosen())

    @work
    async def action_again(self) -> None:
        """Run the job of the run under the cursor again, with the same data."""
        if (run := self.grid.cursor_row) is not None:
            await deeds.run_again(self, run)

    def action_copy(self) -> None:
        """Copy the error of the run under the cursor."""
        run = self.grid.cursor_row
        if run is not None and run.error:
            self.app.copy_to_clipboard(run.error)
            self.say(f"copied: {words.first_line(run.error)}")
