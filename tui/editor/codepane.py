"""The text of a file with what helps to write it: completion, help, finding and replacing."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import TextArea

from tui.editor.completer import Completer
from tui.editor.completions import Completions
from tui.editor.explained import Explained
from tui.editor.findbar import FindBar
from tui.editor.luaarea import LuaArea
from tui.lua.vocabulary import Vocabulary


class CodePane(Vertical):
    """A text area for Lua, and the lines that open below it."""

    class Moved(Message):
        """The text, the cursor or the selection is another."""

    class Replaced(Message):
        """All places of what is looked for were replaced."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(self, text: str, vocabulary: Callable[[], Vocabulary | None]) -> None:
        """Prepare the pane.

        Args:
            vocabulary: gives what is known of the engine's declarations; None as long as nothing is.
        """
        super().__init__()
        self.area = LuaArea(text)
        self._find_bar = FindBar()
        self._explained = Explained(id="explained")
        popup = Completions()
        self._completer = Completer(self.area, popup, vocabulary)
        self._parts = (self.area, self._find_bar, self._explained, popup)

    def compose(self) -> ComposeResult:
        """Hold the text, and what opens over and below it."""
        yield from self._parts

    def on_mount(self) -> None:
        """Let the list of suggestions take its keys first."""
        self.area.takes_key = self._completer.takes

    def on_resize(self) -> None:
        """Keep the cursor and the list of suggestions in sight."""
        self.call_after_refresh(self.area.scroll_cursor_visible)
        self.call_after_refresh(self._completer.resized)

    def close_one(self) -> bool:
        """Close what is open over or below the text, the nearest first; return whether anything was."""
        if self._completer.is_open:
            self._completer.dismiss()
        elif self._find_bar.display:
            self._close_find()
        elif self._explained.display:
            self._explained.display = False
        else:
            return False
        return True

    @on(TextArea.Changed)
    @on(TextArea.SelectionChanged)
    def _moved(self) -> None:
        self._completer.moved()
        self._count_found()
        self._explain()
        self.post_message(self.Moved())

    # Completion and help

    @on(LuaArea.Typed)
    def _follow_typing(self) -> None:
        self._completer.typed()

    def complete(self) -> bool:
        """Show what can stand at the cursor; return whether there is anything."""
        return self._completer.open()

    def toggle_help(self) -> None:
        """Show what is known of the name under the cursor, or close that."""
        self._explained.display = not self._explained.display
        self._explain()

    def _explain(self) -> None:
        if self._explained.display:
            self._explained.tell(self._completer.describe())

    # Finding and replacing

    def open_find(self) -> None:
        """Let the person type what to find."""
        self._find_bar.open_to_find(self.area.selected_text)
        self._seek()

    def open_replace(self) -> None:
        """Let the person type what to find, and what is to take its place."""
        self._find_bar.open_to_replace(self.area.selected_text)
        self._seek()

    def find_next(self, step: int) -> str:
        """Go to the next place, or to the one before; return why that cannot be, or nothing."""
        search = self._find_bar.search
        if self.area.find(search, step):
            return ""
        return f"“{search.text}” is not in the file" if search.text else "Ctrl+F asks what to find"

    @on(FindBar.Sought)
    def _seek(self) -> None:
        self.area.seek(self._find_bar.search if self._find_bar.display else None)
        self._count_found()

    def _count_found(self) -> None:
        if self._find_bar.display:
            self._find_bar.tell(*self.area.found(self._find_bar.search))

    @on(FindBar.Asked)
    def _go_on(self, message: FindBar.Asked) -> None:
        self.find_next(message.step)

    @on(FindBar.ReplaceAsked)
    def _replace_one(self) -> None:
        self.area.replace_selected(self._find_bar.search, self._find_bar.replacement)
        self.find_next(1)

    @on(FindBar.ReplaceAllAsked)
    def _replace_all(self) -> None:
        count = self.area.replace_all(self._find_bar.search, self._find_bar.replacement)
        self.post_message(self.Replaced(count))

    def _close_find(self) -> None:
        self._find_bar.display = False
        self._seek()
        self.screen.set_focus(self.area)
