"""The list of runs of all jobs, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from engine.views import RunView
from tui.deeds import jobdeeds
from tui.facts.runlists import facts, run_columns, values
from tui.look import words
from tui.model.runfilters import read_filter
from tui.model.runpages import RunPages
from tui.page import NO_ENGINE, Context, Page
from tui.widgets.bars import Hint, Part, Prose, TitleBar
from tui.widgets.filterline import FilterLine
from tui.widgets.grid import Grid

#: The engine is asked once nothing was typed for so long.
TYPING_SECONDS = 0.2

#: From so many columns on the run under the cursor stands beside the list.
ROOMY = 160

NO_RUNS = "Nothing has run yet.\n\nEsc goes back to the jobs; r runs one."
NO_MATCH = "No run matches “{}”.\n\nEsc clears the filter."
WRONG = "{}.\n\nEsc clears the filter."
HELP = 'report, status:error, job:admin/*, since:2h, text:"no connection", trigger:retry, tag:shop, !not'


class RunsScreen(Page):
    """All runs, live; older ones come when the end of the list comes into sight."""

    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Open", "screen.open"),
        ("/", "Filter", "screen.filter"),
        ("K", "Cancel", "screen.cancel"),
        ("x", "Run again", "screen.again"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", f"Filter: {HELP}", key_display="/"),
        Binding("K", "cancel", "Cancel runs that wait or go on"),
        Binding("x", "again", "Run again with the same data"),
        Binding("space", "mark", "Mark; cancel then goes to all marked"),
        Binding("o", "job", "Open the job"),
        Binding("y", "copy", "Copy the error"),
        Binding("escape", "clear_or_back", "Clear the filter, then back"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._pages = RunPages()
        self._drawn = -1
        self._fetched = False
        self._fetching = False
        self._typing: Timer | None = None

    def body(self) -> Iterable[Widget]:
        """Hold the filter and the list."""
        yield TitleBar(self._title)
        yield FilterLine(HELP)
        columns = run_columns(self.board, with_job=True)
        with Horizontal():
            yield Grid(columns, lambda run: run.id, empty="Fetching the runs …", id="runs")
            yield Prose(id="beside")

    def on_mount(self) -> None:
        """Take up the filter of the last time."""
        if text := self.context.kept.get("runs.filter"):
            line = self.query_one(FilterLine)
            line.display = True
            line.value = text
            self._ask()

    def on_resize(self) -> None:
        """Show the run under the cursor beside the list where that leaves all columns."""
        self.set_class(self.size.width >= ROOMY, "-roomy")

    @property
    def grid(self) -> Grid[RunView]:
        """The list."""
        return self.query_one("#runs", Grid)

    @property
    def filter(self) -> str:
        """What is typed into the filter."""
        return self.query_one(FilterLine).value

    def _title(self) -> Sequence[Part]:
        pages = self._pages
        if pages.asked.problem:
            return [(" runs", "name"), ("   the filter cannot be used", "bad")]
        if not self._fetched:
            return [(" runs", "name"), ("   the newest first", "faint")]
        shown = words.plural(len(self.grid.rows), "run") if self.is_mounted else ""
        more = "" if pages.all_here else ", older ones below"
        return [(" runs", "name"), (f"   the newest first: {shown}{more}", "faint")]

    # Following the engine

    def tick(self) -> None:
        """Fetch the newest runs if there are others now."""
        if self._drawn != self.board.runs_edition and self.board.is_live and not self._fetching:
            self._drawn = self.board.runs_edition
            self._fetch()
        elif not self.board.is_live:
            self.grid.say_empty(NO_ENGINE)
        self.query_one(TitleBar).tick()
        self.grid.redraw_changes()
        self._show_beside()

    @on(Grid.Moved)
    def _show_beside(self) -> None:
        beside, run = self.query_one("#beside", Prose), self.grid.cursor_row
        if beside.display:
            beside.show(() if run is None else [*facts(run, self.board), [], *values(run)])

    @work(exclusive=True, group="fetch")
    async def _fetch(self) -> None:
        """Fetch the newest runs; the older ones that were fetched before stay."""
        self._fetching = True
        try:
            async with self.telling():
                await self._pages.fetch_newest(self.client, self.board.jobs)
                self._list_anew()
        finally:
            self._fetching = False

    @work(exclusive=True, group="older")
    async def _fetch_older(self) -> None:
        async with self.telling():
            await self._pages.fetch_older(self.client, self.board.jobs)
            self._list_anew()

    def _list_anew(self) -> None:
        self._fetched = True
        pages = self._pages
        if pages.asked.problem:
            self.grid.say_empty(WRONG.format(words.clean(pages.asked.problem)))
        else:
            self.grid.say_empty(NO_MATCH.format(words.clean(self.filter)) if self.filter else NO_RUNS)
        self.grid.show_rows(pages.shown(self.board.jobs))
        self.query_one(TitleBar).tick()

    @on(Grid.EndInSight)
    def _end_in_sight(self) -> None:
        if not self._pages.all_here and self.board.is_live:
            self._fetch_older()

    @on(Input.Changed)
    def _filter_typed(self) -> None:
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(TYPING_SECONDS, self._ask)

    def _ask(self) -> None:
        """Look for the runs that the filter means."""
        self.context.kept.put("runs.filter", self.filter)
        self._pages = RunPages(read_filter(self.filter, self.board.now(), self.board.jobs))
        self.workers.cancel_group(self, "older")
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
            self.open_run(run.id)

    def action_job(self) -> None:
        """Open the page of the job of the run under the cursor."""
        if (run := self.grid.cursor_row) is not None:
            self.open_job(run.job)

    @work
    async def action_cancel(self) -> None:
        """Cancel the chosen runs."""
        await jobdeeds.cancel_runs(self, self.grid.chosen())

    @work
    async def action_again(self) -> None:
        """Run the job of the run under the cursor again, with the same data."""
        if (run := self.grid.cursor_row) is not None:
            await jobdeeds.run_again(self, run)

    def action_copy(self) -> None:
        """Copy the error of the run under the cursor."""
        run = self.grid.cursor_row
        if run is not None and run.error:
            self.copy(run.error, words.first_line(run.error))
