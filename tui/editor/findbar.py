"""The lines below the text in which one types what to find, and what is to take its place."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from tui.model.search import Search

FIND_HELP = "⏎ next  ↑ before  alt+c case"
REPLACE_HELP = "⏎ this one  alt+a all"


class FindBar(Vertical):
    """What to find, and with `opened(replacing=True)` what takes its place."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "go(-1)", "To the place before"),
        Binding("down", "go(1)", "To the next place"),
        Binding("alt+c", "case", "Let capitals matter, or not"),
        Binding("alt+a", "all", "Replace all places"),
        Binding("tab,shift+tab", "other_line", "To the other line"),
    ]

    class Sought(Message):
        """Something else is looked for."""

    class Asked(Message):
        """The person wants to go to a place: `step` is 1 for the next, -1 for the one before."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class ReplaceAsked(Message):
        """The place that is selected is to be replaced."""

    class ReplaceAllAsked(Message):
        """All places are to be replaced."""

    def __init__(self) -> None:
        super().__init__()
        self._with_case = False

    def compose(self) -> ComposeResult:
        """Hold the two lines."""
        with Horizontal():
            yield Static("find", classes="label", markup=False)
            yield Input(id="sought", compact=True, select_on_focus=True)
            yield Static("", id="found", markup=False)
            yield Static(FIND_HELP, classes="keys", markup=False)
        with Horizontal(id="replacing"):
            yield Static("with", classes="label", markup=False)
            yield Input(id="replacement", compact=True, select_on_focus=True)
            yield Static(REPLACE_HELP, classes="keys", markup=False)

    @property
    def search(self) -> Search:
        """What is looked for."""
        return Search(self.query_one("#sought", Input).value, self._with_case)

    @property
    def replacement(self) -> str:
        """What takes its place."""
        return self.query_one("#replacement", Input).value

    @property
    def is_replacing(self) -> bool:
        """Whether the line for the replacement is shown."""
        return self.query_one("#replacing").display

    def open_to_find(self, selected: str) -> None:
        """Show the line for what to find, and type into it."""
        self._open(selected)
        self.query_one("#replacing").display = False

    def open_to_replace(self, selected: str) -> None:
        """Show both lines, and type into the first."""
        self._open(selected)
        self.query_one("#replacing").display = True

    def _open(self, selected: str) -> None:
        """Begin with what is selected in the text, if that is part of one line; else with the last search."""
        self.display = True
        if selected and "\n" not in selected:
            self.query_one("#sought", Input).value = selected
        self.screen.set_focus(self.query_one("#sought", Input))

    def tell(self, number: int, count: int) -> None:
        """Show how many places there are, and which of them is selected (0 for none)."""
        case = "  Aa" if self._with_case else ""
        place = f"{number} of {count}" if number else f"{count} found" if count else "not found"
        found = self.query_one("#found", Static)
        found.update(f"{place if self.search.text else ''}{case}")
        found.set_class(bool(self.search.text) and not count, "text--bad")

    @on(Input.Changed, "#sought")
    def _sought_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.post_message(self.Sought())

    @on(Input.Changed, "#replacement")
    def _replacement_changed(self, message: Input.Changed) -> None:
        message.stop()

    @on(Input.Submitted, "#sought")
    def _find_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_go(1)

    @on(Input.Submitted, "#replacement")
    def _replace_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.post_message(self.ReplaceAsked())

    def action_go(self, step: int) -> None:
        """Go to the next place, or to the one before."""
        self.post_message(self.Asked(step))

    def action_case(self) -> None:
        """Let capitals matter, or not."""
        self._with_case = not self._with_case
        self.post_message(self.Sought())

    def action_all(self) -> None:
        """Replace all places, where a replacement can be typed."""
        if self.is_replacing:
            self.post_message(self.ReplaceAllAsked())

    def action_other_line(self) -> None:
        """Go from one line to the other."""
        sought, replacement = self.query_one("#sought", Input), self.query_one("#replacement", Input)
        if self.is_replacing:
            self.screen.set_focus(replacement if sought.has_focus else sought)
