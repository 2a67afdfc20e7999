"""The line in which a filter is typed, or what to find."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static


class FilterLine(Horizontal):
    """What it is for, a line to type into, and what came of it; Esc clears and leaves it, Enter keeps it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "Clear the filter", show=False),
        Binding("down", "screen.leave_filter", "To the list", show=False),
    ]

    def __init__(self, placeholder: str, *, label: str = "filter") -> None:
        """Make an empty line that is not shown yet.

        Args:
            label: stands in front of it, and says what it is for once something is typed.
        """
        super().__init__()
        self._label = label
        self._input = _Line(placeholder)
        self._told = Static("", classes="told", markup=False)

    def compose(self) -> Iterable[Widget]:
        """Hold the three parts."""
        yield Static(self._label, classes="label", markup=False)
        yield self._input
        yield self._told

    @property
    def value(self) -> str:
        """What is typed."""
        return self._input.value

    @value.setter
    def value(self, text: str) -> None:
        self._input.value = text

    def tell(self, text: str) -> None:
        """Say at the right what came of it, such as "4 of 12 jobs"; nothing while nothing is typed."""
        wanted = text if self.value else ""
        if wanted != self._told.content:
            self._told.update(wanted, layout=False)

    def open(self) -> None:
        """Show the line and type into it.

        The focus moves at once: `Widget.focus` would let keys that are typed fast go to the list.
        """
        self.display = True
        self.screen.set_focus(self._input)

    def action_drop(self) -> None:
        """Clear the filter and go back to the list."""
        self.value = ""
        self.display = False
        self.leave()

    def leave(self) -> None:
        """Go back to the list."""
        self.screen.set_focus(self.screen.query("Grid, Tail").first())


class _Line(Input):
    """What is typed into; the focus goes on at once, so that keys typed fast go to the list."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, select_on_focus=False)

    async def action_submit(self) -> None:
        """Keep the filter and go back to the list."""
        line = self.parent
        assert isinstance(line, FilterLine)
        line.leave()
        await super().action_submit()
