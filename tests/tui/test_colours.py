"""A few screens in colour, cell by cell, beside what they looked like when somebody looked at them.

A picture has a letter for each cell, and below them what each letter stands for. After a change that is
wanted, DRAW_PICTURES=1 draws the pictures anew; look at them before you commit.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from string import ascii_letters, digits, punctuation

import pytest
from rich.style import Style

from tests.engine.conftest import until
from tests.tui.conftest import READ_SECONDS, Seat
from tests.tui.showcase import showcase, visit
from tests.tui.test_pictures import PICTURES, come_to_rest
from tui.look.themes import CONTRAST, DARK, LIGHT

SCREENS = ["jobs", "job-overview", "run-log", "charts-timeline", "editor"]
THEMES = [DARK.name, LIGHT.name, CONTRAST.name]
SIGNS = ascii_letters + digits + punctuation


def painted(seat: Seat) -> str:
    """Return the screen as letters for its colours, with what they stand for."""
    legend: dict[str, str] = {}
    lines = []
    for strip in seat.app.screen._compositor.render_strips():
        line = ""
        for segment in strip:
            style = described(segment.style, blank=not segment.text.strip())
            line += legend.setdefault(style, SIGNS[len(legend)]) * segment.cell_length
        lines.append(line)
    return "\n".join([*lines, "", *(f"{sign} {style}" for style, sign in legend.items())]) + "\n"


def described(style: Style | None, *, blank: bool) -> str:
    """Return colours and weight in words; of what is blank only the ground."""
    if style is None:
        return "plain"
    front, back = style.color, style.bgcolor
    if style.reverse:
        front, back = back, front
    ground = f"on {back.name if back else 'default'}"
    if blank:
        return ground
    weight = " ".join(name for name in ("bold", "italic", "underline", "dim") if getattr(style, name))
    return f"{front.name if front else 'default'} {ground} {weight}".rstrip()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", SCREENS)
async def test_each_screen_has_the_colours_that_it_had(tmp_path: Path, name: str, theme: str) -> None:
    picture = PICTURES / "colours" / f"{name}-{theme}.txt"
    async with showcase(tmp_path), visit(tmp_path, name, (80, 24), theme) as seat:
        if os.environ.get("DRAW_PICTURES"):
            await come_to_rest(seat, painted)
            picture.write_text(painted(seat), "utf-8")
        expected = picture.read_text("utf-8")
        try:
            await until(lambda: painted(seat) == expected, READ_SECONDS)
        except TimeoutError:
            lines = difflib.unified_diff(
                expected.splitlines(), painted(seat).splitlines(), picture.name, "now"
            )
            pytest.fail("\n".join(lines))
