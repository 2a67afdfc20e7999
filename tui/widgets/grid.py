"""The line widget behind every live list: it draws the rows on screen, and again only what changed.

Textual's DataTable repaints itself whole for each changed cell, which a slow SSH link cannot carry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap
from typing import ClassVar, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

Row = TypeVar("Row")

#: The text of a cell and the shade that it is drawn in.
Cell = tuple[str, str]

MARK = "•"

#: No wider column is given to texts that others follow: an eye would lose its line on the way to those.
WIDEST = 60

#: Behind the title of the column by which the rows are sorted.
UPWARDS, DOWNWARDS = "▲", "▼"


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column.

    Attributes:
        width: in characters; of the column with rank 0 this is the least, and it takes what is left up to
            `WIDEST`; what is still left goes to the last one.
        rank: what is dropped first when there is no room: the highest. 0 always stays.
        cell: makes the text and shade of a row's cell.
        right: whether numbers stand at the right edge.
    """

    title: str
    width: int
    rank: int
    cell: Callable[[Row], Cell]
    right: bool = False


@dataclass(frozen=True, slots=True)
class _Placed(Generic[Row]):
    """A column with the place that it got."""

    column: Column[Row]
    x: int
    width: int
    gap: int

    def filled(self, text: str) -> str:
        """Return a text in the width of the column, with the gap behind it."""
        return fit(text, self.width, right=self.column.right) + " " * self.gap


class Grid(ScrollView, Generic[Row], can_focus=True):
    """Rows under a heading. The cursor and the marks stay on their rows, wherever new data moves these."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--head",
        "grid--cursor",
        "grid--ok",
        "grid--bad",
        "grid--late",
        "grid--busy",
        "grid--calm",
        "grid--faint",
        "grid--bold",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "A page up", show=False),
        Binding("pagedown", "page(1)", "A page down", show=False),
        Binding("home,g", "edge(0)", "First", show=False),
        Binding("end,G", "edge(1)", "Last", show=False),
        Binding("enter", "open", "Open", show=False),
    ]

    class Opened(Message):
        """A row was opened with Enter or a second click; its key is None where there is no row (yet)."""

        def __init__(self, key: Hashable | None) -> None:
            super().__init__()
            self.key = key

    class EndInSight(Message):
        """The last row is on the screen, or nearly so."""

    class Marked(Message):
        """Other rows are marked than before."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, key: Hashable | None) -> None:
            super().__init__()
            self.key = key

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        key: Callable[[Row], Hashable],
        *,
        empty: str = "",
        id: str | None = None,
    ) -> None:
        """Make an empty list.

        Args:
            key: what a row is known by when new data comes.
            empty: what stands there without rows; `say_empty` changes it.
        """
        super().__init__(id=id)
        self._columns = columns
        self._key = key
        self._empty = empty
        self._order = ("", False)
        self._rows: Sequence[Row] = ()
        self._table: dict[Hashable, int] | None = {}
        self._cursor: Hashable | None = None
        self._at = 0
        self.marked: set[Hashable] = set()
        self._placed: list[_Placed[Row]] = []
        self._drawn: dict[int, tuple[Cell, ...]] = {}
        self._styles: dict[str, Style] = {}

    # Rows

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows; cursor and marks stay on theirs, and rows on the screen stay in their lines.

        At the top the list stays at the top, so that new rows come into sight there.
        """
        grew = len(rows) != len(self._rows)
        in_sight = self._keys_in_sight() if self.scroll_offset.y else ()
        self._rows, self._table = rows, None
        if self.marked and (gone := self.marked - self._places.keys()):
            self._mark(self.marked - gone)
        self._keep_cursor()
        if grew:
            self.virtual_size = Size(self.size.width, len(rows) + 1)
            self.refresh()
        if moved := self._moved_by(in_sight):
            self.scroll_to(y=self.scroll_offset.y + moved, animate=False, force=True)
        if not grew:
            self.redraw_changes()

    @property
    def _places(self) -> dict[Hashable, int]:
        """Where each row is. With very many rows this takes longer than to draw those on the screen."""
        if self._table is None:
            self._table = {self._key(row): place for place, row in enumerate(self._rows)}
        return self._table

    def _is_at(self, key: Hashable, place: int) -> bool:
        return place < len(self._rows) and self._key(self._rows[place]) == key

    def _keys_in_sight(self) -> Sequence[Hashable]:
        top = self.scroll_offset.y
        return [self._key(row) for row in self._rows[top : top + self._page]]

    def _moved_by(self, in_sight: Sequence[Hashable]) -> int:
        """Return by how many places most of the rows that were on the screen moved."""
        top = self.scroll_offset.y
        if all(self._is_at(key, place) for place, key in enumerate(in_sight, top)):
            return 0
        moves = Counter(
            self._places[key] - place for place, key in enumerate(in_sight, top) if key in self._places
        )
        return moves.most_common(1)[0][0] if moves else 0

    def _keep_cursor(self) -> None:
        place = self._at
        if self._cursor is not None and not self._is_at(self._cursor, place):
            # Where the row is gone, its neighbour takes the cursor.
            place = self._places.get(self._cursor, place)
        self._set_cursor(place)

    def say_empty(self, text: str) -> None:
        """Set what stands there without rows."""
        if text != self._empty:
            self._empty = text
            self.refresh()

    def say_order(self, title: str, *, backwards: bool) -> None:
        """Show in the heading by which column the rows are sorted; "" for none of them."""
        if (title, backwards) != self._order:
            self._order = (title, backwards)
            self.refresh(Region(0, 0, self.size.width, 1))

    @property
    def cursor_row(self) -> Row | None:
        """The row under the cursor, if there is any."""
        return self._rows[self._at] if self._at < len(self._rows) else None

    @property
    def rows(self) -> Sequence[Row]:
        """The rows shown."""
        return self._rows

    def chosen(self) -> list[Row]:
        """Return the marked rows, or else the one under the cursor."""
        if self.marked:
            return [row for row in self._rows if self._key(row) in self.marked]
        return [] if self.cursor_row is None else [self.cursor_row]

    def mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on to the next."""
        if (row := self.cursor_row) is not None:
            self._mark(self.marked ^ {self._key(row)})
            self.action_move(1)

    def unmark_all(self) -> None:
        """Take all marks away."""
        self._mark(set())

    def _mark(self, keys: set[Hashable]) -> None:
        self.marked = keys
        self.redraw_changes()
        self.post_message(self.Marked(len(keys)))

    def go_to(self, key: Hashable) -> None:
        """Put the cursor on a row."""
        if (place := self._places.get(key)) is not None:
            self._put_cursor(place)

    # Moving

    @property
    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def action_move(self, step: int) -> None:
        """Move the cursor by rows."""
        self._put_cursor(self._at + step)

    def action_page(self, step: int) -> None:
        """Move the cursor by pages."""
        self._put_cursor(self._at + step * self._page)

    def action_edge(self, last: int) -> None:
        """Move the cursor to the first or last row."""
        self._put_cursor(len(self._rows) - 1 if last else 0)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        row = self.cursor_row
        self.post_message(self.Opened(None if row is None else self._key(row)))

    def _put_cursor(self, place: int) -> None:
        self._set_cursor(place)
        self._scroll_to_cursor()
        self.redraw_changes()

    def _set_cursor(self, place: int) -> None:
        self._at = max(0, min(place, len(self._rows) - 1))
        row = self.cursor_row
        key = None if row is None else self._key(row)
        moved, self._cursor = key != self._cursor, key
        if moved:
            self.post_message(self.Moved(key))

    def _scroll_to_cursor(self) -> None:
        top = self.scroll_offset.y
        if self._at < top:
            self.scroll_to(y=self._at, animate=False, force=True)
        elif self._at >= top + self._page:
            self.scroll_to(y=self._at - self._page + 1, animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell when the end comes into sight, whether by keys or by the wheel."""
        super().watch_scroll_y(old_value, new_value)
        if self._rows and new_value + 2 * self._page >= len(self._rows):
            self.post_message(self.EndInSight())

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the clicked row; a second click opens it."""
        place = event.y - 1 + self.scroll_offset.y
        if event.y < 1 or place >= len(self._rows):
            return
        again = place == self._at and event.chain > 1
        self._put_cursor(place)
        if again:
            self.action_open()

    # Drawing

    def on_resize(self) -> None:
        """Place the columns anew."""
        self._place_columns()
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget the colours of an earlier theme."""
        super().notify_style_update()
        self._styles.clear()

    def _place_columns(self) -> None:
        room = self.size.width
        kept = list(self._columns)
        while len(kept) > 1 and _taken(kept) > room:
            kept.remove(max(kept, key=lambda column: column.rank))
        widths = _widths(kept, max(0, room - _taken(kept)))
        self._placed, x = [], 1
        for column, width, gap in zip(kept, widths, _gaps(kept), strict=True):
            self._placed.append(_Placed(column, x, width, gap))
            x += width + gap
        self._drawn.clear()

    def redraw_changes(self) -> None:
        """Repaint those cells on screen whose text or colour is another than the one drawn."""
        for y in range(1, self.size.height):
            before, now = self._drawn.get(y), self._cells(y)
            if before == now:
                continue
            if before is None or now[0] != before[0]:
                self.refresh(Region(0, y, self.size.width, 1))
                continue
            changed = [p for p, old, new in zip(self._placed, before[1:], now[1:], strict=True) if old != new]
            start, end = changed[0].x, changed[-1].x + changed[-1].width
            # One region for each line: Textual sends a line anew from its start for every region on it.
            self.refresh(Region(start, y, end - start, 1))

    def _row_at(self, y: int) -> tuple[int, Row] | None:
        place = y - 1 + self.scroll_offset.y
        return (place, self._rows[place]) if 0 <= place < len(self._rows) else None

    def _cells(self, y: int) -> tuple[Cell, ...]:
        """Return what a line of the screen should show: first cursor and mark, then each cell."""
        found = self._row_at(y)
        if found is None:
            return (("", ""),)
        place, row = found
        marked = MARK if self._key(row) in self.marked else " "
        ground = "cursor" if place == self._at else ""
        return ((marked, ground), *(placed.column.cell(row) for placed in self._placed))

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        if y == 0:
            return self._head()
        cells = self._cells(y)
        self._drawn[y] = cells
        if len(cells) == 1:
            return self._blank(y)
        (mark, ground), *texts = cells
        base = self._style(ground)
        parts = [(mark, base + self._style("bold"))]
        for placed, (text, shade) in zip(self._placed, texts, strict=True):
            parts.append((placed.filled(text), self._on_ground(shade, ground)))
        return _strip(parts, self.size.width, base)

    def _head(self) -> Strip:
        style = self._style("") + self._style("head")
        titles = [placed.filled(self._title(placed.column)) for placed in self._placed]
        return _strip([(" ", style), *((title, style) for title in titles)], self.size.width, style)

    def _title(self, column: Column[Row]) -> str:
        sorted_by, backwards = self._order
        if column.title != sorted_by:
            return column.title
        return f"{column.title} {DOWNWARDS if backwards else UPWARDS}"

    def _blank(self, y: int) -> Strip:
        base = self._style("")
        lines = [] if self._rows else broken(self._empty, self.size.width - 3)
        text = f"  {lines[y - 2]}" if 0 <= y - 2 < len(lines) else ""
        return _strip([(fit(text, self.size.width), base)], self.size.width, base)

    def _on_ground(self, shade: str, ground: str) -> Style:
        """Return how a cell is drawn; reversed, each shade would give its cell another ground."""
        if ground and self._is_reversed:
            return self._style(ground)
        base = self._style(ground)
        return base + self._style(shade) if shade else base

    def _style(self, shade: str) -> Style:
        if shade not in self._styles:
            self._styles[shade] = self._make_style(shade)
        return self._styles[shade]

    def _make_style(self, shade: str) -> Style:
        if not shade:
            return self.rich_style
        partial = self.get_component_rich_style(f"grid--{shade}", partial=True)
        if shade != "cursor":
            return partial
        return self.rich_style + (Style(reverse=True, bold=True) if self._is_reversed else partial)

    @property
    def _is_reversed(self) -> bool:
        """Whether the cursor's line is reversed: without colours of our own only that is sure to be seen."""
        return self.app.current_theme.ansi or self.app.no_color


def _gaps(columns: Sequence[Column[Row]]) -> list[int]:
    """Return how many blanks stand behind each column: more between a number and the text that follows."""
    return [*(2 if column.right and not after.right else 1 for column, after in pairwise(columns)), 1]


def _widths(columns: Sequence[Column[Row]], spare: int) -> list[int]:
    """Return how wide columns are where there is more room than they need."""
    last, widths = columns[-1], [column.width for column in columns]
    for at, column in enumerate(columns):
        if column.rank == 0 and column is not last:
            grown = min(spare, max(0, WIDEST - column.width))
            widths[at] += grown
            spare -= grown
    if last.rank == 0 or not last.right:
        widths[-1] += spare
    return widths


def _taken(columns: Sequence[Column[Row]]) -> int:
    """Return what columns take of a line at least, with the blank in front."""
    return 1 + sum(column.width for column in columns) + sum(_gaps(columns))


def broken(text: str, width: int) -> list[str]:
    """Return a text in lines of at most so many characters; its own lines stay apart."""
    return [part for line in text.splitlines() for part in wrap(line, max(1, width)) or [""]]


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return text cut or filled to a number of columns of the terminal."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 1 else set_cell_size(text, width)
    return " " * (width - length) + text if right else text + " " * (width - length)


def _strip(parts: Sequence[tuple[str, Style]], width: int, base: Style) -> Strip:
    """Join neighbours of one style, so that the terminal gets each colour once."""
    segments: list[Segment] = []
    for text, style in parts:
        if segments and segments[-1].style == style:
            segments[-1] = Segment(segments[-1].text + text, style)
        else:
            segments.append(Segment(text, style))
    return Strip(segments).adjust_cell_length(width, base)
