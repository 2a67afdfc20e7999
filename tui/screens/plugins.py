"""The plugins of the engine: what each adds, and why one is not loaded."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from engine.events import EngineStateChanged
from engine.views import PluginView, ScreenView
from tui.look import words
from tui.screens.help import key_name
from tui.screens.listpage import ListPage, pair
from tui.widgets.bars import Hint, Part, ProseLine
from tui.widgets.grid import Cell, Column

_LOOKS = {"loaded": ("✓", "ok"), "failed": ("✗", "bad"), "disabled": ("⊘", "faint")}


def state_of(plugin: PluginView) -> Cell:
    """Return how a plugin stands, with its icon."""
    icon, shade = _LOOKS.get(plugin.status, ("?", "calm"))
    return f"{icon} {plugin.status}", shade


def _adds(plugin: PluginView) -> str:
    core = [f"core.{name}" for name in plugin.core]
    return ", ".join([*core, *plugin.adds, *(f"screen {screen.title}" for screen in plugin.screens)])


def _screen_words(screen: ScreenView) -> str:
    return f"{screen.title} (key {key_name(screen.key)})" if screen.key else screen.title


def _adds_cell(plugin: PluginView) -> Cell:
    """Return what a plugin adds, or why it does not."""
    return (
        (words.first_line(plugin.reason), state_of(plugin)[1])
        if plugin.reason
        else (words.clean(_adds(plugin)), "")
    )


class PluginsScreen(ListPage[PluginView]):
    """All plugins that the engine found."""

    HEEDS = (EngineStateChanged,)
    EMPTY = "The engine found no plugins."
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("r", "Refresh", "screen.refresh_rows"),
        ("esc", "Back", "screen.back"),
    )

    def headline(self) -> Sequence[Part]:
        """Say what is listed."""
        return [(" plugins", "name"), ("   what adds to the engine and to core", "faint")]

    def columns(self) -> Sequence[Column[PluginView]]:
        """Return the columns."""
        return (
            Column("STATE", 11, 1, state_of),
            Column("PLUGIN", 18, 2, lambda plugin: (words.clean(plugin.name), "")),
            Column("VERSION", 9, 4, lambda plugin: (words.clean(plugin.version), "calm")),
            Column("ADDS", 20, 0, _adds_cell),
        )

    def key(self, row: PluginView) -> Hashable:
        """Know plugins by name and origin: two may have one name."""
        return row.name, row.origin

    async def fetch(self, before: PluginView | None) -> list[PluginView]:
        """Ask the engine; all plugins come at once."""
        return [] if before is not None else await self.client.plugins()

    def about(self, row: PluginView) -> Iterable[ProseLine]:
        """Say all of a plugin."""
        yield [(words.clean(f"{row.name} {row.version}"), "head"), ("  ", ""), state_of(row)]
        if row.reason:
            yield [(words.clean(row.reason), "late")]
        yield pair("from", row.origin)
        for name, values in (
            ("core", [f"core.{one}" for one in row.core]),
            ("adds", row.adds),
            ("hooks", row.hooks),
            ("screens", [_screen_words(screen) for screen in row.screens]),
        ):
            if values:
                yield pair(name, ", ".join(values))
