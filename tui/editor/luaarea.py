"""The text area for Lua: colours from the lexer, comments on a key, and finding."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import ClassVar, cast

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.document._document import Document
from textual.document._document_navigator import DocumentNavigator
from textual.geometry import Offset, Region, Size, Spacing
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from tui.editor.flatdocument import FlatDocument
from tui.lua.lexed import LexedText
from tui.lua.tokens import SHADES
from tui.model.search import Search, Span, next_span, number_at, span_before

THEME = "moontide"
COMMENT = "-- "
#: The kind of what is looked for, among the kinds of words of the lexer.
FOUND = "found"
INDENT = 2
#: The text moves sideways by so many columns at once, and becomes wider by as many.
SIDE_STEP = 16
#: What has to be in sight, from the cursor on.
CURSOR_WIDTH = 3
#: Drawn lines that are kept, some screens full.
STRIPS_KEPT = 500
#: What stands behind the number of a marked line, by its shade.
SIGNS = {"bad": "✗", "late": "!"}


class LuaArea(TextArea):
    """A text area that colours Lua as it is typed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lua--bad", "lua--late", "lua--found"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+underscore", "toggle_comment", "Comment the line, or take that back", key_display="^_"),
    ]

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        #: Asked about each key first; whether it was taken.
        self.takes_key: Callable[[str], bool] = lambda key: False
        self._search: Search | None = None
        self._marks: dict[int, str] = {}
        self._lexed = LexedText(INDENT)
        self._coloured = _Coloured(self._lexed)
        self._strips: dict[Hashable, Strip] = {}
        super().__init__(
            text, id=id, soft_wrap=False, tab_behavior="indent", show_line_numbers=True, compact=True
        )
        self.indent_width = INDENT

    def on_mount(self) -> None:
        """Take the colours of the theme, and again when it changes."""
        self.cursor_blink = False
        self._take_theme()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._take_theme())

    def _take_theme(self) -> None:
        variables = self.app.theme_variables
        styles = {
            kind: Style(bold=True) if shade == "head" else _style(variables[f"shade-{shade}"])
            for kind, shade in SHADES.items()
        }
        # Bold black is grey on many terminals.
        styles[FOUND] = self.get_component_rich_style("lua--found") + Style(bold=False)
        self.register_theme(TextAreaTheme(name=THEME, syntax_styles=styles))
        self.theme = "css"
        self.theme = THEME
        self._strips.clear()

    # What a long file would make slow. All of it stands in the place of what Textual does at each key.

    def _set_document(self, text: str, language: str | None) -> None:
        """Take a text, without the lists of a document that could be wrapped."""
        super()._set_document(text, language)
        self.wrapped_document = FlatDocument(self.document, self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)

    def _build_highlight_map(self) -> None:
        """Colour what changed; Textual asks `LexedText` about the lines that it draws."""
        self._lexed.update(self.document.lines)
        self._highlights = self._coloured  # type: ignore[assignment]

    def _refresh_size(self) -> None:
        """Bring the size of the whole text up to date, from the widths that are known."""
        self._lexed.update(self.document.lines)
        # With room for the cursor behind the end of the longest line, also when the next letter is there.
        width = self._lexed.width + self.gutter_width + CURSOR_WIDTH
        if width > self.scrollable_content_region.width:
            width = math.ceil(width / SIDE_STEP) * SIDE_STEP
        self.virtual_size = Size(width, self.document.line_count)
        self._refresh_scrollbars()

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        """Bring the cursor into sight; sideways by more columns, as each move draws the whole screen."""
        if not self._has_cursor:
            return Offset(0, 0)
        self._recompute_cursor_offset()  # type: ignore[no-untyped-call]
        return self.scroll_to_region(
            self._around(*self._cursor_offset),
            spacing=Spacing(right=self.gutter_width),
            animate=animate,
            force=True,
            center=center,
        )

    def _around(self, x: int, y: int) -> Region:
        """Return what shall be in sight around the cursor: more of the line where it is out of sight."""
        width = self.scrollable_content_region.width - self.gutter_width
        left = self.scroll_offset.x
        more = 0 if left <= x <= left + width - CURSOR_WIDTH else min(SIDE_STEP, max(0, width) // 4)
        begin = max(0, x - more)
        return Region(begin, y, x - begin + CURSOR_WIDTH + more, 1)

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen, with its mark; most lines look as they did before."""
        row = y + self.scroll_offset.y
        if row >= self.document.line_count:
            return self._render_line(y)
        look = self._look_of(row)
        strip = self._strips.get(look)
        if strip is None:
            if len(self._strips) > STRIPS_KEPT:
                self._strips.clear()
            strip = self._strips[look] = self._render_line(y)
        return self._marked(strip, row, self._marks[row]) if row in self._marks else strip

    def _look_of(self, row: int) -> Hashable:
        """Return all that the look of a line depends on."""
        selection, bracket = self.selection, self._matching_bracket_location
        has_cursor = selection.end[0] == row
        has_bracket = bracket is not None and (has_cursor or bracket[0] == row)
        return (
            *(row, self._lexed.drawn_as(row), self._search, self.gutter_width),
            *(self.size, self.scroll_offset.x),
            selection if selection.contains_line(row) else has_cursor,
            has_cursor and self._draw_cursor,
            bracket if has_bracket else None,
        )

    class Typed(Message):
        """A key put something into the text, or took it out."""

    def on_key(self, event: events.Key) -> None:
        """Let others take a key before the text area does."""
        if self.takes_key(event.key):
            event.stop()
            event.prevent_default()
        elif event.is_printable or event.key == "backspace":
            # It is handled after this key, when the text area has put it into the text.
            self.post_message(self.Typed())

    # Marks beside the numbers of lines

    def mark(self, lines: Mapping[int, str]) -> None:
        """Put a sign beside some lines.

        Args:
            lines: their numbers from 1 on, with the shade of each: "bad" or "late".
        """
        if (marks := {line - 1: shade for line, shade in lines.items()}) != self._marks:
            self._marks = marks
            self.refresh()

    def _marked(self, strip: Strip, row: int, shade: str) -> Strip:
        width = self.gutter_width
        style = self.get_component_rich_style(f"lua--{shade}")
        mark = Segment(f"{row + 1:>{width - 2}}{SIGNS[shade]} ", style)
        return Strip.join([Strip([mark], width), strip.crop(width)])

    # Editing

    def action_toggle_comment(self) -> None:
        """Make the line under the cursor a comment, or a line of code again."""
        row = self.cursor_location[0]
        line = self.document.get_line(row)
        indent = len(line) - len(line.lstrip())
        rest = line[indent:]
        bare = rest.removeprefix(COMMENT) if rest.startswith(COMMENT) else rest.removeprefix("--")
        changed = line[:indent] + (bare if rest.startswith("--") else COMMENT + rest)
        self.replace(changed, (row, 0), (row, len(line)))

    # Finding and replacing

    def seek(self, search: Search | None) -> None:
        """Let every place of what is looked for stand out; None ends that."""
        if search != self._search:
            self._search = self._coloured.search = search
            self.refresh()

    def find(self, search: Search, step: int) -> bool:
        """Select the next place of what is looked for, or for a step of -1 the one before, round the ends."""
        start, end = self._selected_span
        spans = search.spans(self.text)
        found = next_span(spans, end) if step > 0 else span_before(spans, start)
        if found is not None:
            self._select(found)
        return found is not None

    def found(self, search: Search) -> tuple[int, int]:
        """Return which place of what is looked for is selected, 0 for none, and how many there are."""
        spans = search.spans(self.text)
        return number_at(spans, self._selected_span), len(spans)

    def replace_selected(self, search: Search, replacement: str) -> bool:
        """Replace what is selected if it is what is looked for, and return whether it was."""
        if not search.fits(self.selected_text):
            return False
        self.replace(replacement, *sorted(self.selection))
        return True

    def replace_all(self, search: Search, replacement: str) -> int:
        """Replace every place in one step, which one undo takes back; return how many there were."""
        spans = search.spans(self.text)
        if spans:
            start, end = self._location(spans[0][0]), self._location(spans[-1][1])
            changed = search.replaced(self.get_text_range(start, end), replacement)
            row, column = self.cursor_location
            self.replace(changed, start, end)
            self.move_cursor((row, column))
        return len(spans)

    @property
    def _selected_span(self) -> Span:
        document = cast(Document, self.document)
        start, end = (document.get_index_from_location(one) for one in sorted(self.selection))
        return start, end

    def _location(self, index: int) -> tuple[int, int]:
        return cast(Document, self.document).get_location_from_index(index)

    def _select(self, span: Span) -> None:
        self.move_cursor(self._location(span[0]))
        self.move_cursor(self._location(span[1]), select=True, center=True)

    def go_to(self, line: int) -> None:
        """Put the cursor on a line, counted from 1."""
        row = max(0, min(line, self.document.line_count) - 1)
        self.move_cursor((row, 0), center=True)


class _Coloured:
    """The colours of lines, as Textual asks for them; what is looked for stands out from all other."""

    def __init__(self, lexed: LexedText) -> None:
        self._lexed = lexed
        self.search: Search | None = None

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, row: int) -> list[tuple[int, int | None, str]]:
        # Textual draws the later ones over the earlier.
        found = self._lexed.spans_of(row, self.search.spans) if self.search is not None else []
        return self._lexed[row] + [(start, end, FOUND) for start, end in found]


def _style(colour: str) -> Style:
    if colour == "ansi_default":
        return Style(dim=True)
    return Style(color=colour.removeprefix("ansi_"))
