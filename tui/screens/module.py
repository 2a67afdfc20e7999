"""The code of one library module."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.facts.runlists import numbered
from tui.look import words
from tui.page import Context, Page
from tui.widgets.bars import Hint, Prose, TitleBar


class ModuleScreen(Page):
    """The code of one library module."""

    HINTS: ClassVar[tuple[Hint, ...]] = (("y", "Copy", "screen.copy"), ("esc", "Back", "screen.back"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", "Copy the code")]

    def __init__(self, context: Context, name: str) -> None:
        """Prepare the page of the module with this name."""
        super().__init__(context)
        self._module = name
        self._text = ""

    def body(self) -> Iterable[Widget]:
        """Hold the code."""
        yield TitleBar(lambda: [(" library › ", "faint"), (words.clean(self._module), "name")])
        yield Prose(id="help-box")

    def on_mount(self) -> None:
        """Fetch the code."""
        self.query_one(Prose).show([[("Fetching …", "faint")]])
        self._fetch()

    @work(exclusive=True)
    async def _fetch(self) -> None:
        async with self.telling():
            self._text = (await self.client.overview.module_source(self._module)).text
            self.query_one(Prose).show(numbered(self._text))

    def action_copy(self) -> None:
        """Copy the code."""
        self.copy(self._text, words.plural(len(self._text.splitlines()), "line"))
