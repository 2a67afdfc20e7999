"""The list of ways to go on, beside the cursor; it never has the focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text
from textual.geometry import Offset, Size
from textual.widget import Widget

from tui.look.words import clean
from tui.lua.vocabulary import Suggestion

ROWS = 8
#: Lines below the list about the suggestion that is chosen: at most these for its signature, and the rest.
ABOUT_ROWS = 2
DOC_ROWS = 2
WIDTH = 58


class Completions(Widget):
    """Suggestions, one of which is chosen, with what is known of that one below."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"completions--chosen", "completions--about", "completions--more"}

    def __init__(self) -> None:
        super().__init__()
        self._all: Sequence[Suggestion] = ()
        self._at = 0
        self._rows = ROWS
        self.was_moved = False

    @property
    def is_open(self) -> bool:
        """Whether there is a list to see."""
        return bool(self._all)

    @property
    def chosen(self) -> Suggestion:
        """The suggestion that the person would take; only while the list is open."""
        return self._all[self._at]

    def offer(self, suggestions: Sequence[Suggestion], cursor: Offset, room: Size) -> None:
        """Show a list beside the cursor.

        Args:
            cursor: where the word being typed begins, counted from the corner of the pane.
            room: the size of the pane.
        """
        kept = self._all[self._at].name if self.was_moved and self._all else None
        names = [one.name for one in suggestions]
        self._all = suggestions
        self.was_moved = kept in names
        self._at = names.index(kept) if kept is not None and kept in names else 0
        self.display = bool(suggestions)
        self._place(cursor, room)
        self.refresh(layout=True)

    def close(self) -> None:
        """Show no list any more."""
        self._all, self._at, self.was_moved = (), 0, False
        self.display = False

    def move(self, step: int) -> None:
        """Choose a suggestion further down or up; after the last comes the first."""
        self.was_moved = True
        self._at = (self._at + step) % len(self._all)
        self.refresh()

    def _place(self, cursor: Offset, room: Size) -> None:
        """Stand below the cursor's line, or above it where there is more room; the line stays in sight."""
        wanted = min(ROWS, len(self._all)) + ABOUT_ROWS + DOC_ROWS
        below = room.height - cursor.y - 1
        is_below = below >= min(wanted, cursor.y)
        height = min(wanted, below if is_below else cursor.y)
        width = min(WIDTH, room.width)
        self._rows = max(1, height - ABOUT_ROWS - DOC_ROWS)
        self.styles.width, self.styles.height = width, height
        y = cursor.y + 1 if is_below else cursor.y - height
        self.styles.offset = (max(0, min(cursor.x, room.width - width)), y)

    def render(self) -> Text:
        """Draw the list."""
        if not self._all:
            return Text("")
        first = max(0, min(self._at - self._rows // 2, len(self._all) - self._rows))
        shown = self._all[first : first + self._rows]
        lines = [self._row(one, number == self._at) for number, one in enumerate(shown, first)]
        return Text("\n", no_wrap=True, end="").join([*lines, *self._about()])

    def _row(self, one: Suggestion, chosen: bool) -> Text:
        text = set_cell_size(f" {clean(one.name)}", self.size.width)
        return Text(text, self._style("chosen") if chosen else Style())

    def _about(self) -> list[Text]:
        """Return what is known of the chosen one, always in as many lines."""
        width = self.size.width - 2
        about = folded(clean(self.chosen.about), width, ABOUT_ROWS)
        doc = folded(clean(" ".join(self.chosen.doc.split())), width, ABOUT_ROWS + DOC_ROWS - len(about))
        lines = [(line, "about") for line in about] + [(line, "more") for line in doc]
        lines += [("", "more")] * (ABOUT_ROWS + DOC_ROWS - len(lines))
        last, shade = lines[-1]
        count = f"{self._at + 1}/{len(self._all)}"
        lines[-1] = (f"{set_cell_size(last, width - len(count) - 1)} {count}", shade)
        return [Text(set_cell_size(f" {line}", width + 2), self._style(shade)) for line, shade in lines]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"completions--{name}")


def folded(text: str, width: int, most: int) -> list[str]:
    """Return a text in lines, at most so many, cut with an ellipsis where it is too long."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    if len(lines) > most:
        lines[most - 1] = set_cell_size(f"{lines[most - 1]} {lines[most]}", width - 1).rstrip() + "…"
    return [set_cell_size(line, min(width, cell_len(line))) for line in lines[:most]]
