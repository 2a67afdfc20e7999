"""The text area for Lua: what is drawn after edits is what a new one draws."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from tui.editor.luaarea import LuaArea
from tui.look.themes import THEMES
from tui.model.search import Search

TEXT = "".join(f"local name_{number} = {number} -- {number}\n" for number in range(200))
SIZE = (60, 20)


class Desk(App[None]):
    """Nothing but a text area."""

    CSS_PATH = "../../tui/moontide.tcss"

    def __init__(self, text: str) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "moon"
        self.area = LuaArea(text)

    def compose(self) -> ComposeResult:
        yield self.area

    def drawn(self) -> list[str]:
        """The screen with all its colours."""
        return [repr(list(strip)) for strip in self.screen._compositor.render_strips()]


async def fresh(area: LuaArea) -> list[str]:
    """Return what a new text area draws of the same text, at the same place."""
    desk = Desk(area.text)
    async with desk.run_test(size=SIZE) as pilot:
        desk.area.scroll_to(*area.scroll_offset, animate=False, force=True, immediate=True)
        desk.area.selection = area.selection
        await pilot.pause()
        desk.area.scroll_to(*area.scroll_offset, animate=False, force=True, immediate=True)
        await pilot.pause()
        return desk.drawn()


@pytest.mark.parametrize(
    "keys",
    [
        ["x", "y", "enter", "z"],
        ["down", "down", *"--[[", "enter", "up", "delete"],
        ["pagedown", "pagedown", "(", "left", "backspace"],
        ["shift+down", "shift+down", "shift+right"],
        ["down", *"core", "ctrl+z", "down", "ctrl+y"],
        ["end", *"wide line, wider than the screen is, as lines in programs are at times", "home"],
    ],
)
async def test_after_keys_the_screen_is_as_if_it_were_drawn_anew(keys: list[str]) -> None:
    desk = Desk(TEXT)
    async with desk.run_test(size=SIZE) as pilot:
        desk.area.focus()
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        shown = desk.drawn()
        assert shown == await fresh(desk.area)


async def test_a_long_line_moves_sideways_by_many_columns_at_once() -> None:
    desk = Desk(TEXT)
    async with desk.run_test(size=SIZE) as pilot:
        desk.area.focus()
        await pilot.press("end")
        places = []
        for _ in range(80):
            await pilot.press("x")
            await pilot.pause()
            places.append(desk.area.scroll_offset.x)
            cursor = desk.area.cursor_screen_offset.x
            assert desk.area.gutter_width <= cursor < SIZE[0] - 1
        assert places == sorted(places)
        assert places[-1] > 40
        assert len(set(places)) <= 12
        await pilot.press("home")
        await pilot.pause()
        assert desk.area.scroll_offset.x == 0


async def test_what_is_looked_for_and_marked_is_drawn_and_taken_back() -> None:
    desk = Desk(TEXT)
    async with desk.run_test(size=SIZE) as pilot:
        await pilot.pause()
        before = desk.drawn()
        desk.area.seek(Search("name"))
        desk.area.mark({3: "bad"})
        await pilot.pause()
        assert desk.drawn() != before
        assert "  3✗ " in desk.drawn()[2]
        desk.area.seek(None)
        desk.area.mark({})
        await pilot.pause()
        assert desk.drawn() == before


async def test_another_theme_is_taken_at_once() -> None:
    desk = Desk(TEXT)
    async with desk.run_test(size=SIZE) as pilot:
        await pilot.pause()
        before = desk.drawn()
        desk.theme = "moon-light"
        await pilot.pause()
        assert desk.drawn() != before


async def test_what_is_looked_for_looks_alike_in_code_strings_and_comments() -> None:
    desk = Desk('local word = "ä word" -- word\n')
    async with desk.run_test(size=SIZE) as pilot:
        desk.area.seek(Search("word"))
        await pilot.pause()
        (line, *_) = desk.screen._compositor.render_strips()
        found = [segment.style for segment in line if segment.text == "word"]
        assert len(found) == 3
        assert len({(style.color, style.bgcolor) for style in found if style}) == 1
