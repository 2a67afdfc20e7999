"""A screen that is one list: fetched when it opens and when something happened that it heeds."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from engine.events import Event
from tui.look.words import clean
from tui.page import NO_ENGINE, Context, Page
from tui.widgets.bars import Part, Prose, ProseLine, TitleBar
from tui.widgets.grid import Column, Grid

Row = TypeVar("Row")

PAGE_ROWS = 100


class ListPage(Page, Generic[Row]):
    """Rows, and what is known of the one under the cursor: below them, or beside in a wide terminal."""

    #: Events after which the rows may be others.
    HEEDS: ClassVar[tuple[type[Event], ...]] = ()
    #: What stands there when there is nothing.
    EMPTY: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "refresh_rows", "Refresh")]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._stale = True
        self._fetching = False
        self._all_here = False

    # What each list says for itself

    def headline(self) -> Sequence[Part]:
        """Return what stands above the list."""
        raise NotImplementedError

    def columns(self) -> Sequence[Column[Row]]:
        """Return the columns of the list."""
        raise NotImplementedError

    def key(self, row: Row) -> Hashable:
        """Return what a row is known by."""
        raise NotImplementedError

    async def fetch(self, before: Row | None) -> list[Row]:
        """Return the first rows, or those that follow a row; fewer than `PAGE_ROWS` are the last."""
        raise NotImplementedError

    def about(self, row: Row) -> Iterable[ProseLine]:
        """Return all that is known of a row."""
        raise NotImplementedError

    def nothing(self) -> str:
        """Return what stands there when there is nothing."""
        return self.EMPTY

    def above(self) -> Iterable[Widget]:
        """Return what stands between title and list, such as a filter."""
        return ()

    # Following the engine

    def body(self) -> Iterable[Widget]:
        """Hold the list and the text about the row under the cursor."""
        yield TitleBar(self.headline)
        yield from self.above()
        yield Container(
            Grid(self.columns(), self.key, empty="Fetching …", id="rows"), Prose(id="about-row"), id="split"
        )

    def on_mount(self) -> None:
        """Listen for what changes the rows."""
        self._unlisten = self.board.listen(self._heard)

    def on_unmount(self) -> None:
        """Listen no more."""
        self._unlisten()

    def _heard(self, event: Event) -> None:
        self._stale = self._stale or isinstance(event, self.HEEDS)

    @property
    def grid(self) -> Grid[Row]:
        """The list."""
        return self.query_one("#rows", Grid)

    def tick(self) -> None:
        """Fetch what is stale, and redraw what time alone changes."""
        self.query_one(TitleBar).tick()
        if self._stale and self.board.is_live and not self._fetching:
            self.fetch_anew()
        elif not self.board.is_live and self._stale:
            self.grid.say_empty(NO_ENGINE)
        self.grid.redraw_changes()

    def on_screen_resume(self) -> None:
        """Look again: what another screen did may concern this list."""
        self._stale = True
        super().on_screen_resume()

    def start_over(self) -> None:
        """Show other rows than before, such as after a change of the filter."""
        self._all_here = False
        self.grid.show_rows(())
        self.fetch_anew()

    def action_refresh_rows(self) -> None:
        """Fetch the rows at once."""
        if self.can_act():
            self.fetch_anew()

    @work(exclusive=True, group="fetch")
    async def fetch_anew(self) -> None:
        """Fetch the first rows; further ones that are there stay behind them."""
        self._stale, self._fetching = False, True
        try:
            async with self.telling():
                first = await self.fetch(None)
                self._all_here = self._all_here or len(first) < PAGE_ROWS
                known = {self.key(row) for row in first}
                whole = len(first) < PAGE_ROWS
                kept = (
                    [] if whole else [row for row in self.grid.rows[PAGE_ROWS:] if self.key(row) not in known]
                )
                self._show([*first, *kept])
        finally:
            self._fetching = False

    @work(exclusive=True, group="further")
    async def _fetch_further(self) -> None:
        async with self.telling():
            further = await self.fetch(self.grid.rows[-1])
            self._all_here = len(further) < PAGE_ROWS
            known = {self.key(row) for row in self.grid.rows}
            self._show([*self.grid.rows, *(row for row in further if self.key(row) not in known)])

    def _show(self, rows: Sequence[Row]) -> None:
        self.grid.say_empty(self.nothing())
        self.grid.show_rows(rows)
        self._show_about()

    @on(Grid.Moved)
    def _moved(self) -> None:
        rows = self.grid.rows
        if rows and self.grid.cursor_row is rows[-1]:
            self._end_in_sight()
        self._show_about()

    @on(Grid.EndInSight)
    def _end_in_sight(self) -> None:
        if len(self.grid.rows) >= PAGE_ROWS and not self._all_here and self.board.is_live:
            self._fetch_further()

    def _show_about(self) -> None:
        row = self.grid.cursor_row
        self.query_one("#about-row", Prose).show(() if row is None else self.about(row))


def pair(name: str, value: str, shade: str = "") -> ProseLine:
    """Return a line that gives a value its name."""
    return [(f"{name:<10}", "faint"), (clean(value), shade)]
