"""A screen that plugins fill: they give lines, and the dashboard does the rest."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from engine.errors import MoontideError
from tui.look.words import clean
from tui.page import Context, Page
from tui.widgets.bars import Hint, Prose, ProseLine, TitleBar

logger = logging.getLogger("moontide.dashboard")

SHADES = frozenset({"ok", "bad", "late", "busy", "calm", "faint", "head"})

#: A line as it is, or as parts, each with one of the dashboard's shades, or "" for none.
Line = str | Sequence[tuple[str, str]]

#: Lines that are shown at most.
MOST_LINES = 10_000


class ReportScreen(Page):
    """Lines of text, fetched when the screen opens, now and then, and when asked for."""

    #: How often the lines are fetched anew while the screen is on top.
    EVERY_SECONDS: ClassVar[float] = 5.0
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("r", "Refresh", "screen.refresh_report"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "refresh_report", "Refresh")]

    def __init__(self, context: Context, title: str) -> None:
        """Prepare the screen.

        Args:
            title: as the plugin calls it.
        """
        super().__init__(context)
        self._head = title

    async def report(self) -> Iterable[Line]:
        """Return the lines to show; `self.client` asks the engine."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        """Hold the lines."""
        yield TitleBar(lambda: [(f" {self._head}", "name")])
        yield Prose(id="help-box")

    def on_mount(self) -> None:
        """Fetch the lines, and go on doing so."""
        self.query_one(Prose).show([[("Fetching …", "faint")]])
        self.set_interval(self.EVERY_SECONDS, self._fetch_on_top)
        self._fetch()

    def action_refresh_report(self) -> None:
        """Fetch the lines at once."""
        self._fetch()

    def _fetch_on_top(self) -> None:
        if self.is_current and self.board.is_live:
            self._fetch()

    @work(exclusive=True)
    async def _fetch(self) -> None:
        try:
            lines = [_parts(line) for line in list(await self.report())[:MOST_LINES]]
        except MoontideError as error:
            lines = [[(clean(str(error)), "bad")]]
        # A plugin's mistake must not end the dashboard.
        except Exception as error:
            logger.exception("the screen %s failed", self._head)
            lines = [[(clean(f"this screen failed: {type(error).__name__}: {error}"), "bad")]]
        self.query_one(Prose).show(lines)


def _parts(line: Line) -> ProseLine:
    parts = [(line, "")] if isinstance(line, str) else line
    return [(clean(str(text)), shade if shade in SHADES else "") for text, shade in parts]
