"""Completion while one types: when the list opens, what its keys do, and what is put into the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from textual.document._document import Document

from tui.editor.completions import Completions
from tui.editor.luaarea import LuaArea
from tui.lua.place import Place, place_at
from tui.lua.vocabulary import Described, Vocabulary

#: Only behind these can a list open by itself; looked at first, since it is quick.
_OPENS = re.compile(r"[.:]\w*$|[\"'][^\"']*$")
_REST = re.compile(r"\w*")


class Completer:
    """Lets a list of suggestions follow what is typed into a text area."""

    def __init__(
        self, area: LuaArea, popup: Completions, vocabulary: Callable[[], Vocabulary | None]
    ) -> None:
        """Prepare the completer.

        Args:
            vocabulary: gives what is known of the engine's declarations; None as long as nothing is.
        """
        self._area = area
        self._popup = popup
        self._vocabulary = vocabulary
        #: Where a list was closed by hand: it does not open again for the same word.
        self._closed_at: tuple[int, int] | None = None
        self._opened_at = (0, 0)

    @property
    def is_open(self) -> bool:
        """Whether a list is shown."""
        return self._popup.is_open

    def typed(self) -> None:
        """Follow what a key put into the text: open, narrow down or close the list."""
        row, column = self._area.cursor_location
        before = self._area.document.get_line(row)[:column]
        if not self.is_open and not _OPENS.search(before):
            return
        place = self._place()
        wanted = place.sign or place.in_string or self.is_open
        if wanted and self._start(place) != self._closed_at:
            self._offer(place)
        else:
            self.close()

    def moved(self) -> None:
        """Close the list once the cursor is at another word."""
        if self.is_open and self._start(self._place()) != self._opened_at:
            self.close()

    def resized(self) -> None:
        """Let the list find its place again in a pane of another size."""
        if self.is_open:
            self._offer(self._place())

    def open(self) -> bool:
        """Show what can stand here; return whether there is anything."""
        self._closed_at = None
        self._offer(self._place())
        return self.is_open

    def close(self) -> None:
        """Close the list."""
        if self.is_open:
            self._popup.close()

    def dismiss(self) -> None:
        """Close the list, as the person wishes; it stays closed for this word."""
        self._closed_at = self._start(self._place())
        self.close()

    def takes(self, key: str) -> bool:
        """Carry out what a key does to the list that is open; return whether it did anything."""
        if not self.is_open:
            return False
        if key in ("up", "down"):
            self._popup.move(1 if key == "down" else -1)
        elif key == "tab" or (key == "enter" and not self._is_typed_out()):
            self._take()
        elif key in ("enter", "left", "right", "home", "end", "pageup", "pagedown"):
            self.close()
            return False
        else:
            return False
        return True

    def describe(self) -> Described | None:
        """Return what is known of the name under the cursor, or of the call around it."""
        vocabulary = self._vocabulary()
        if vocabulary is None:
            return None
        row, column = self._area.cursor_location
        rest = _REST.match(self._area.document.get_line(row), column)
        end = rest.end() if rest else column
        return vocabulary.describe(place_at(self._lines, row, end), self._text_before)

    def _offer(self, place: Place) -> None:
        vocabulary = self._vocabulary()
        found = vocabulary.suggestions(place, self._text_before) if vocabulary else []
        if not found or [one.insert for one in found] == [place.word]:
            self.close()
            return
        self._opened_at = self._start(place)
        start = self._area.cursor_screen_offset - self._area.region.offset - (len(place.word) + 1, 0)
        self._popup.offer(found, start, self._area.size)

    def _is_typed_out(self) -> bool:
        """Return whether taking the chosen suggestion would change nothing: Enter is a new line then."""
        return not self._popup.was_moved and self._popup.chosen.insert == self._place().word

    def _take(self) -> None:
        row, column = self._start(self._place())
        self._area.replace(self._popup.chosen.insert, (row, column), self._area.cursor_location)
        self.close()

    def _place(self) -> Place:
        return place_at(self._lines, *self._area.cursor_location)

    def _start(self, place: Place) -> tuple[int, int]:
        row, column = self._area.cursor_location
        return row, column - len(place.word)

    @property
    def _lines(self) -> list[str]:
        return cast(Document, self._area.document).lines

    @property
    def _text_before(self) -> str:
        return self._area.document.get_text_range((0, 0), self._area.cursor_location)
