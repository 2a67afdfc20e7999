"""The text area for Lua: colours from the lexer, comments on a key, and finding."""

from __future__ import annotations

from typing import ClassVar, cast

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.document._document import Document
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from tui.lua import SHADES, Open, Token, tokens

THEME = "moontide"
COMMENT = "-- "


class LuaArea(TextArea):
    """A text area that colours Lua as it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+underscore", "toggle_comment", "Comment the line, or take that back", key_display="^_"),
    ]

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        # What the lexer found in each line, with the line's text and what was open before it.
        self._lexed: list[tuple[str, Open | None, list[Token], Open | None]] = []
        super().__init__(
            text, id=id, soft_wrap=False, tab_behavior="indent", show_line_numbers=True, compact=True
        )
        self.indent_width = 2

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
        self.register_theme(TextAreaTheme(name=THEME, syntax_styles=styles))
        self.theme = "css"
        self.theme = THEME

    def _build_highlight_map(self) -> None:
        """Colour all lines; those that are as they were keep what the lexer found before."""
        self._line_cache.clear()
        self._highlights.clear()
        before, self._lexed = self._lexed, []
        still_open: Open | None = None
        # Lines above and below an edit are the same, counted from the top or from the end.
        shift = self.document.line_count - len(before)
        for number in range(self.document.line_count):
            line = self.document.get_line(number)
            known = _known(before, number, line, still_open) or _known(
                before, number - shift, line, still_open
            )
            entry = known or (line, still_open, *tokens(line, still_open))
            self._lexed.append(entry)
            if entry[2]:
                self._highlights[number] = [_highlight(line, token) for token in entry[2]]
            still_open = entry[3]

    def action_toggle_comment(self) -> None:
        """Make the line under the cursor a comment, or a line of code again."""
        row = self.cursor_location[0]
        line = self.document.get_line(row)
        indent = len(line) - len(line.lstrip())
        rest = line[indent:]
        bare = rest.removeprefix(COMMENT) if rest.startswith(COMMENT) else rest.removeprefix("--")
        changed = line[:indent] + (bare if rest.startswith("--") else COMMENT + rest)
        self.replace(changed, (row, 0), (row, len(line)))

    def find(self, text: str) -> bool:
        """Select the next place that holds the text, from the cursor on and round the end."""
        document = cast(Document, self.document)
        whole, here = self.text, document.get_index_from_location(self.selection.end)
        place = whole.lower().find(text.lower(), here)
        if place < 0:
            place = whole.lower().find(text.lower())
        if place < 0 or not text:
            return False
        start = document.get_location_from_index(place)
        end = document.get_location_from_index(place + len(text))
        self.move_cursor(start)
        self.move_cursor(end, select=True, center=True)
        return True

    def go_to(self, line: int) -> None:
        """Put the cursor on a line, counted from 1."""
        row = max(0, min(line, self.document.line_count) - 1)
        self.move_cursor((row, 0), center=True)


_Lexed = tuple[str, Open | None, list[Token], Open | None]


def _known(before: list[_Lexed], number: int, line: str, still_open: Open | None) -> _Lexed | None:
    if not 0 <= number < len(before):
        return None
    entry = before[number]
    return entry if entry[0] == line and entry[1] == still_open else None


def _style(colour: str) -> Style:
    if colour == "ansi_default":
        return Style(dim=True)
    return Style(color=colour.removeprefix("ansi_"))


def _highlight(line: str, token: Token) -> tuple[int, int | None, str]:
    """Return a token as Textual counts it: in bytes of UTF-8."""
    if line.isascii():
        return token.start, token.end, token.kind
    start, end = (len(line[:place].encode()) for place in (token.start, token.end))
    return start, end, token.kind
