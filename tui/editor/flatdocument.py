"""A document whose lines are never wrapped: each is one line of the screen.

Textual's own keeps lists about all lines, and goes through them at each line that it draws and at
each new line; in a long file that is felt at every key.
"""

from __future__ import annotations

from rich.cells import cell_len
from textual._cells import cell_width_to_column_index
from textual.document._document import DocumentBase, Location
from textual.document._wrapped_document import WrappedDocument
from textual.expand_tabs import expand_tabs_inline, get_tab_widths
from textual.geometry import Offset, clamp


class _Rows:
    """The line of the text, and the part of it, at each line of the screen."""

    def __init__(self, document: DocumentBase) -> None:
        self._document = document

    def __getitem__(self, row: int) -> tuple[int, int]:
        if row >= self._document.line_count:
            raise IndexError(row)
        return row, 0


class FlatDocument(WrappedDocument):
    """What a text area asks about where lines are on the screen, answered without any wrapping."""

    def __init__(self, document: DocumentBase, tab_width: int = 4) -> None:
        # The lists of the class above are what this one does without.
        self.document = document
        self._tab_width = tab_width
        self._width = 0
        self._offset_to_line_info = _Rows(document)  # type: ignore[assignment]

    @property
    def wrapped(self) -> bool:
        """Whether any line is wrapped."""
        return False

    @property
    def height(self) -> int:
        """The number of lines on the screen."""
        return self.document.line_count

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        """Take another width of tabs."""
        self._tab_width = tab_width or self._tab_width

    def wrap_range(self, start: Location, old_end: Location, new_end: Location) -> None:
        """Do nothing: an edit moves no line but as the document has it."""

    def offset_to_location(self, offset: Offset) -> Location:
        """Return what stands at a place of the screen, or at the nearest."""
        row = clamp(offset.y, 0, self.document.line_count - 1)
        line = self.document.get_line(row)
        return row, cell_width_to_column_index(line, max(0, offset.x), self._tab_width)

    def location_to_offset(self, location: Location) -> Offset:
        """Return where a character stands on the screen."""
        row = clamp(location[0], 0, self.document.line_count - 1)
        before = self.document.get_line(row)[: location[1]]
        return Offset(cell_len(expand_tabs_inline(before, self._tab_width)), row)

    def get_sections(self, line_index: int) -> list[str]:
        """Return a line as the one part that it is."""
        return [self.document.get_line(line_index)]

    def get_offsets(self, line_index: int) -> list[int]:
        """Return where a line is wrapped: nowhere.

        Raises:
            ValueError: there is no such line.
        """
        if not 0 <= line_index < self.document.line_count:
            raise ValueError(f"there is no line {line_index}")
        return []

    def get_tab_widths(self, line_index: int) -> list[int]:
        """Return the widths of a line's tabs."""
        return [width for _, width in get_tab_widths(self.document.get_line(line_index), self._tab_width)]
