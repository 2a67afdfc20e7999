"""The engine's settings: what counts, and where it comes from."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from engine.events import EngineStateChanged
from engine.views import EngineSettingView
from tui.look import words
from tui.page import Context
from tui.screens.listpage import ListPage, pair
from tui.widgets.bars import Hint, Part, ProseLine
from tui.widgets.grid import Cell, Column

_SHADES = {"environment": "late", "default": "faint"}


def origin_cell(view: EngineSettingView) -> Cell:
    """Return where a value comes from."""
    return words.clean(view.origin), _SHADES.get(view.origin, "")


def value_cell(view: EngineSettingView) -> Cell:
    """Return the value, a dash for none."""
    return words.first_line(view.value) or "—", "faint" if view.origin == "default" else ""


class SettingsScreen(ListPage[EngineSettingView]):
    """Every setting of the engine, as it counts."""

    HEEDS = (EngineStateChanged,)
    EMPTY = "No setting is known.\n\nv shows those with their default, too."
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("v", "Only what is set", "screen.given"),
        ("y", "Copy", "screen.copy"),
        ("i", "Engine", "app.place('engine')"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "given", "Show only what somebody set, or all"),
        Binding("y", "copy", "Copy the line for moontide.toml"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._given = False

    def headline(self) -> Sequence[Part]:
        """Say what is listed."""
        listed = "those that somebody set" if self._given else "of the engine"
        return [(" settings", "name"), (f"   {listed}; they are read when it starts", "faint")]

    def columns(self) -> Sequence[Column[EngineSettingView]]:
        """Return the columns."""
        return (
            Column("SETTING", 24, 1, lambda view: (words.clean(view.key), "")),
            Column("FROM", 13, 2, origin_cell),
            Column("VALUE", 16, 0, value_cell),
            Column("DEFAULT", 14, 3, lambda view: (words.first_line(view.default) or "—", "faint")),
        )

    def key(self, row: EngineSettingView) -> Hashable:
        """Know settings by their keys."""
        return row.key

    async def fetch(self, before: EngineSettingView | None) -> list[EngineSettingView]:
        """Ask the engine; all settings come at once."""
        if before is not None:
            return []
        views = await self.client.overview.settings()
        return [view for view in views if view.origin != "default"] if self._given else views

    def about(self, row: EngineSettingView) -> Iterable[ProseLine]:
        """Say all of a setting."""
        yield [(words.clean(row.key), "head")]
        yield [(words.clean(row.description), "")]
        yield pair("value", row.value or "—")
        yield pair("from", row.origin)
        if row.default:
            yield pair("default", row.default)
        if row.allowed:
            yield pair("allowed", row.allowed)
        yield pair("variable", row.variable)

    def action_given(self) -> None:
        """Show only what somebody set, or all."""
        self._given = not self._given
        self.start_over()

    def action_copy(self) -> None:
        """Copy the key of the setting under the cursor with its value."""
        if (view := self.grid.cursor_row) is not None:
            self.copy(f"{view.key} = {view.value}", view.key)
