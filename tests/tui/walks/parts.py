"""Walks through dialogs, and through the parts of screens that have keys of their own."""

from __future__ import annotations

from tests.tui.walks.hand import Hand, Walk
from tui.editor.findbar import FindBar
from tui.editor.luaarea import LuaArea
from tui.widgets.dialogs import Choice, Confirm, Dialog
from tui.widgets.filterline import FilterLine
from tui.widgets.grid import Grid
from tui.widgets.tail import Tail


async def choice(hand: Hand) -> None:
    await hand.does("enter", gone="Drain web1?")


async def confirm(hand: Hand) -> None:
    await hand.does("n", gone="Drain web1?")
    await hand.press("d")
    await hand.reads("Drain web1?")
    await hand.does("y", "draining")


async def dialog(hand: Hand) -> None:
    text = "\n".join(f"reason {number}" for number in range(60))
    hand.seat.app.push_screen(Dialog("Why?", text, [("yes", "Because")]))
    await hand.reads("Why?", "reason 0")
    await hand.does("right", moves=hand.focused)
    await hand.does("left", moves=hand.focused)
    await hand.does("down", gone="reason 0")
    await hand.does("up", "reason 0")
    await hand.does("pagedown", gone="reason 9 ")
    await hand.does("pageup", "reason 9 ")
    await hand.does("escape", gone="Why?")


async def filter_line(hand: Hand) -> None:
    await hand.does("down", moves=hand.focused)
    await hand.press("slash")
    await hand.does("escape", moves=lambda: hand.text)


async def grid(hand: Hand) -> None:
    def row() -> object:
        return hand.seat.app.screen.query_one(Grid).cursor_row

    await hand.press("home")
    for key in ("down", "up", "pagedown", "pageup", "end", "home"):
        await hand.does(key, moves=row)
    await hand.does("enter", "jobs › ")


async def tail(hand: Hand) -> None:
    for key in ("home", "down", "up", "pagedown", "pageup", "end", "right", "left"):
        await hand.does(key, moves=lambda: hand.text)


async def lua_area(hand: Hand) -> None:
    await hand.does("ctrl+underscore", gone="-- Marks toys")


async def find_bar(hand: Hand) -> None:
    def place() -> object:
        return hand.seat.app.screen.query_one(LuaArea).selection

    await hand.press("ctrl+f", *["backspace"] * 3, "ctrl+r")
    await hand.seat.type("job")
    await hand.does("down", moves=place)
    await hand.does("up", moves=place)
    await hand.does("alt+c", moves=lambda: hand.text)
    await hand.does("tab", moves=hand.focused)
    await hand.seat.type("task")
    await hand.does("alt+a", "task.OK")


WALKS = {
    Choice: Walk("node-drain", choice),
    Confirm: Walk("node-drain", confirm),
    Dialog: Walk("jobs", dialog),
    FilterLine: Walk("jobs-filter", filter_line),
    Grid: Walk("jobs", grid, size=(80, 24)),
    Tail: Walk("run-log", tail, size=(80, 24)),
    LuaArea: Walk("editor", lua_area),
    FindBar: Walk("editor-find", find_bar),
}
