"""Finding and replacing in the editor."""

from __future__ import annotations

import pytest

from tests.engine.api.memory_engine import MemoryEngine
from tests.engine.conftest import until
from tests.tui.conftest import Seat, Sit
from tui.screens.editor import EditorScreen

pytestmark = pytest.mark.usefixtures("server")

CODE = "local a = 1\nlocal b = A + a\nreturn a\n"


async def edit(seat: Seat, engine: MemoryEngine) -> EditorScreen:
    engine.add("report", CODE)
    await seat.reads("report")
    await seat.press("slash", *"report", "enter", "e")
    await seat.reads("jobs › report › edit", "saved")
    assert isinstance(seat.app.screen, EditorScreen)
    return seat.app.screen


async def test_places_are_counted_while_one_types_and_visited_both_ways(
    sit: Sit, engine: MemoryEngine
) -> None:
    async with sit() as seat:
        editor = await edit(seat, engine)
        await seat.press("ctrl+f")
        await seat.type("local")
        await seat.reads("2 found")
        await seat.press("enter")
        await seat.reads("1 of 2", "Ln 1, Col 6")
        await seat.press("down")
        await seat.reads("2 of 2", "Ln 2, Col 6")
        await seat.press("up")
        await seat.reads("1 of 2")
        await seat.press("escape")
        await seat.gone("1 of 2")
        assert seat.app.screen is editor
        await until(lambda: editor.area.has_focus)
        await seat.press("alt+n")
        await seat.reads("Ln 2, Col 6")


async def test_capitals_matter_when_one_wants(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await edit(seat, engine)
        await seat.press("ctrl+f", "A")
        await seat.reads("6 found")
        await seat.press("alt+c")
        await seat.reads("1 found  Aa")


async def test_what_is_not_there_is_said(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await edit(seat, engine)
        await seat.press("ctrl+f", *"zzz")
        await seat.reads("not found")


async def test_places_are_replaced_one_by_one(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        editor = await edit(seat, engine)
        await seat.press("ctrl+r", *"local", "enter", "tab", *"global", "enter")
        await seat.reads("1 of 1")
        await until(lambda: editor.area.text == CODE.replace("local", "global", 1))
        await seat.press("enter")
        await until(lambda: editor.area.text == CODE.replace("local", "global"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_all_places_are_replaced_in_one_step_that_one_undo_takes_back(
    sit: Sit, engine: MemoryEngine, size: tuple[int, int]
) -> None:
    async with sit(size=size) as seat:
        editor = await edit(seat, engine)
        await seat.press("ctrl+r", *"local", "tab", *"global", "alt+a")
        await seat.reads("replaced 2 places")
        await until(lambda: editor.area.text == CODE.replace("local", "global"))
        await seat.press("escape", "ctrl+z")
        await until(lambda: editor.area.text == CODE)
        await seat.press("ctrl+y")
        await until(lambda: editor.area.text == CODE.replace("local", "global"))


async def test_what_is_selected_is_looked_for(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        editor = await edit(seat, engine)
        editor.area.move_cursor((2, 0))
        editor.area.move_cursor((2, 6), select=True)
        await seat.press("ctrl+f")
        await seat.reads("find return", "1 of 1")


async def test_a_line_is_gone_to_by_its_number(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await edit(seat, engine)
        await seat.press("ctrl+g", "x", "enter")
        await seat.reads("write the number of a line")
        await seat.press("backspace", "3", "enter")
        await seat.reads("Ln 3, Col 1")
