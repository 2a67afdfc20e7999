"""Lines of text that are too long for their place."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.text import Text

from tests.tui.conftest import Sit
from tui.widgets.bars import ProseLine, hanging, indent_of


def drawn(line: ProseLine, width: int) -> list[str]:
    text = Text("".join(part for part, _ in line))
    return [part.plain.rstrip() for part in hanging(text, width, indent_of(line), Console())]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ([("jobs      ", "faint"), ("report, till, setup", "")],
         ["jobs      report, till,", "          setup"]),
        ([("▶", "bad"), ("   8 ", "bad"), ("local broken = nil .. 1", "")],
         ["▶   8 local broken = nil", ".. 1"]),
        ([(" ", ""), ("   8 ", "faint"), ("local broken = nil .. 1", "")],
         ["    8 local broken = nil", "      .. 1"]),
        ([("! its clock is 3.4 s behind", "bad")], ["! its clock is 3.4 s", "  behind"]),
        ([("   ✗ 1 failed: no connection", "bad")], ["   ✗ 1 failed: no", "     connection"]),
        ([("short", "")], ["short"]),
    ],
)  # fmt: skip
def test_a_long_line_goes_on_below_what_its_label_names(line: ProseLine, lines: list[str]) -> None:
    assert drawn(line, 24) == lines


async def test_a_wider_terminal_takes_the_lines_together_again(sit: Sit, server: object) -> None:
    async with sit(size=(50, 24)) as seat:
        await seat.reads("report")
        await seat.press("i")
        await seat.reads("started")
        before = len(seat.text.split())
        await seat.pilot.resize_terminal(200, 60)
        await seat.reads("walls around jobs")
        assert len(seat.text.split()) >= before
