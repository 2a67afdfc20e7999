"""Walks through the editor and the form."""

from __future__ import annotations

from engine.views import SettingView
from tests.engine.api.memory_engine import MemoryDrafts
from tests.tui.walks.hand import Hand, Walk
from tui.editor.luaarea import LuaArea
from tui.screens.editor import EditorScreen
from tui.screens.form import FormScreen


async def editor(hand: Hand) -> None:
    def place() -> object:
        return hand.seat.app.screen.query_one(LuaArea).selection

    hand.engine.texts["report"] += "-- goes on forever\n"
    await hand.press("slash", *"job:report", "enter", "e")
    await hand.reads("goes on forever")
    await hand.does("f5", "f4 cancels")
    await hand.does("f12", moves=hand.focused)
    await hand.press("f12")
    await hand.does("f4", "⊘ cancelled")
    await hand.does("escape", gone="⊘ cancelled")
    await hand.does("f8", moves=lambda: hand.text)
    await hand.does("ctrl+t", "nobody else changed the file")
    await hand.does("ctrl+s", "report is saved and reloaded")
    await hand.does("ctrl+g", "Go to line")
    await hand.back("goes on forever")
    await hand.does("ctrl+f", moves=hand.focused)
    await hand.seat.type("toys")
    await hand.press("enter")
    await hand.does("ctrl+n", moves=place)
    await hand.does("alt+n", moves=place)
    await hand.press("escape")
    await hand.does("ctrl+r", moves=hand.focused)
    await hand.press("escape")
    await help_of_the_editor(hand)


async def help_of_the_editor(hand: Hand) -> None:
    await hand.press("ctrl+end", "enter")
    await hand.seat.type("core.")
    await hand.reads("uuid")
    await hand.press("escape")
    await hand.seat.gone("uuid")
    await hand.does("f2", "uuid")
    await hand.press("enter")
    await hand.reads("core.uuid")
    await hand.press("left")
    await hand.does("f3", "Return a new random identifier")


class ManySettings(MemoryDrafts):
    """As many settings as it takes to go eight of them on."""

    def settings(self) -> list[SettingView]:
        return [SettingView(f"set{number}", None, "It is set.", '"2m"') for number in range(12)]


async def form(hand: Hand) -> None:
    hand.engine.drafts = ManySettings()
    await hand.press("slash", *"job:report", "enter", "o")
    await hand.reads("set11", "It is set.")
    for key in ("down", "up", "pagedown", "pageup"):
        await hand.does(key, moves=hand.focused)
    await hand.does("ctrl+s", "nothing was changed")
    await hand.does("ctrl+e", "Ln 1, Col 1")
    await hand.press("escape", "o")
    await hand.reads("set11")
    await hand.does("escape", gone="set11")


WALKS = {EditorScreen: Walk("jobs", editor), FormScreen: Walk("jobs", form)}
