"""How long a key press takes in the dashboard's editor with a long file, until the screen shows it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rich.console import RenderableType
from textual.app import App, ComposeResult
from textual.events import Key
from textual.screen import Screen

from bench.figures import Effort, Figure, spread_figures
from tui.editor.codepane import CodePane
from tui.look.themes import THEMES

LINES = 5000

#: What is typed in the middle of the file.
LETTERS = list("local x = core.log(1) " * 5)
PROGRAM = """\
-- Counts what is on the shelf number {0}.
local function count_{0}(shelf, kinds)
  local total = 0
  for _, one in ipairs(shelf) do
    if kinds[one.kind] then total = total + one.number * {0} end
  end
  core.log("shelf {0} holds", total, 'and is "good"')
  return total
end

"""


class _Desk(App[None]):
    """Nothing but the editor's text, as the dashboard shows it."""

    CSS_PATH = "../tui/moontide.tcss"

    def __init__(self, text: str) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.pane = CodePane(text, lambda: None)
        self.painted = asyncio.Event()

    def compose(self) -> ComposeResult:
        yield self.pane

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        self.painted.set()


@dataclass(frozen=True, slots=True)
class _Cost:
    """What one key took, in milliseconds: until it was drawn, and of a processor."""

    drawn: float
    worked: float


def measure(effort: Effort) -> list[Figure]:
    """Return milliseconds from a key press to the drawn screen, at 120 columns and 40 lines."""
    return asyncio.run(_measure(effort))


async def _measure(effort: Effort) -> list[Figure]:
    async with _desk(LINES) as desk:
        letters = [await _press(desk, LETTERS) for _ in range(effort.rounds)]
        lines = [await _press(desk, ["enter"] * 20) for _ in range(effort.rounds)]
        moves = [await _press(desk, ["down"] * 50 + ["pagedown"] * 10) for _ in range(effort.rounds)]
    return [
        figure
        for word, rounds in (("a letter", letters), ("a new line", lines), ("the cursor", moves))
        for figure in _figures(f"editor, {LINES:,} lines, {word}", rounds)
    ]


def _figures(name: str, rounds: list[list[_Cost]]) -> list[Figure]:
    drawn = [[cost.drawn for cost in costs] for costs in rounds]
    worked = [[cost.worked for cost in costs] for costs in rounds]
    return [
        *spread_figures(f"{name}, drawn", drawn, targets={"p99": "< 30"}),
        *spread_figures(f"{name}, CPU", worked),
    ]


@asynccontextmanager
async def _desk(lines: int) -> AsyncIterator[_Desk]:
    desk = _Desk("".join(PROGRAM.format(number) for number in range(lines // 10)))
    async with desk.run_test(size=(120, 40)) as pilot:
        desk.pane.area.focus()
        desk.pane.area.move_cursor((lines // 2, 0))
        await pilot.pause()
        # In the dashboard, too, Python's collector no longer goes through what its start has made.
        gc.collect()
        gc.freeze()
        yield desk
        gc.unfreeze()


async def _press(desk: _Desk, keys: Sequence[str]) -> list[_Cost]:
    return [await _cost(desk, key) for key in keys]


async def _cost(desk: _Desk, key: str) -> _Cost:
    """Press a key and wait until what it did is drawn."""
    assert desk._driver is not None
    area = desk.pane.area
    before = area.cursor_location
    desk.painted.clear()
    began, worked = time.perf_counter(), time.process_time()
    desk._driver.send_message(Key(key, key if len(key) == 1 else None))
    while area.cursor_location == before:
        await desk.painted.wait()
        desk.painted.clear()
    return _Cost((time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000)
