"""What runs next, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from engine.views import ComingView
from tui.look import words
from tui.page import NO_ENGINE, Context, Page
from tui.widgets.bars import Hint, TitleBar
from tui.widgets.grid import Column, Grid

SHOWN = 200

NOTHING = (
    "Nothing is due.\n\nJobs without a schedule run only when somebody starts them: r in the list of jobs."
)


class ComingScreen(Page):
    """The next due times of all jobs."""

    HINTS: ClassVar[tuple[Hint, ...]] = (("⏎", "Open job", "screen.open"), ("esc", "Back", "screen.back"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("o", "open", "Open the job")]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._drawn = -1
        self._fetching = False

    def body(self) -> Iterable[Widget]:
        """Hold the list."""
        board = self.board
        columns: tuple[Column[ComingView], ...] = (
            Column("DUE", 19, 1, lambda view: (words.moment(view.due), "calm")),
            Column("IN", 8, 2, lambda view: (words.until(view.due, board.now()), ""), right=True),
            Column("JOB", 20, 0, lambda view: (words.clean(view.job), "")),
            Column("NOTES", 24, 3, lambda view: (words.clean(", ".join(view.notes)), "late")),
        )
        yield TitleBar(lambda: [(" coming", "name"), ("   the next runs of all jobs", "faint")])
        yield Grid(columns, lambda view: (view.job, view.due), empty="Fetching …", id="coming")

    def tick(self) -> None:
        """Fetch anew when jobs changed."""
        if self._drawn != self.board.edition and self.board.is_live and not self._fetching:
            self._drawn, self._fetching = self.board.edition, True
            self._fetch()
        elif not self.board.is_live:
            self.query_one(Grid).say_empty(NO_ENGINE)
        self.query_one(Grid).redraw_changes()

    @work(exclusive=True, group="fetch")
    async def _fetch(self) -> None:
        try:
            async with self.telling():
                views = await self.client.coming(count=SHOWN)
                grid = self.query_one(Grid)
                grid.say_empty(NOTHING)
                grid.show_rows(views)
        finally:
            self._fetching = False

    @on(Grid.Opened)
    def action_open(self) -> None:
        """Open the page of the job under the cursor."""
        view = self.query_one(Grid).cursor_row
        if view is not None:
            self.open_job(view.job)
