"""The line in which a filter is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class FilterLine(Input):
    """The line in which a filter is typed; Esc clears and leaves it, Enter keeps it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "Clear the filter", show=False),
        Binding("down", "screen.leave_filter", "To the list", show=False),
    ]

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, select_on_focus=False)

    def open(self) -> None:
        """Show the line and type into it.

        The focus moves at once: `Widget.focus` would let keys that are typed fast go to the list.
        """
        self.display = True
        self.screen.set_focus(self)

    def action_drop(self) -> None:
        """Clear the filter and go back to the list."""
        self.value = ""
        self.display = False
        self._focus_list()

    async def action_submit(self) -> None:
        """Keep the filter and go back to the list, at once for the same reason."""
        self._focus_list()
        await super().action_submit()

    def _focus_list(self) -> None:
        self.screen.set_focus(self.screen.query("Grid, Tail").first())
