"""Every screen as text, at three sizes, beside what it looked like when somebody looked at it.

After a change that is wanted, DRAW_PICTURES=1 draws the pictures anew; look at them before you commit.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.conftest import until
from tests.tui.conftest import READ_SECONDS, Seat
from tests.tui.showcase import TOUR, showcase, visit

pytestmark = pytest.mark.long

PICTURES = Path(__file__).parent / "pictures"
SIZES = [(80, 24), (120, 40), (200, 60)]

#: A picture is drawn of a screen that has not changed for so many looks.
LOOKS = 150


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", TOUR)
async def test_each_screen_looks_as_it_did(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    async with showcase(tmp_path), visit(tmp_path, name, size) as seat:
        await compare(seat, PICTURES / f"{name}-{size[0]}x{size[1]}.txt")


async def compare(seat: Seat, picture: Path) -> None:
    """Wait until the screen looks as in a picture, or draw it where that is asked for."""
    if os.environ.get("DRAW_PICTURES"):
        await come_to_rest(seat)
        picture.write_text(drawn(seat), "utf-8")  # noqa: ASYNC240 - nothing else goes on
    expected = picture.read_text("utf-8")  # noqa: ASYNC240
    try:
        await until(lambda: drawn(seat) == expected, READ_SECONDS)
    except TimeoutError:
        lines = difflib.unified_diff(expected.splitlines(), drawn(seat).splitlines(), picture.name, "now")
        pytest.fail("\n".join(lines))


async def come_to_rest(seat: Seat, look: Callable[[Seat], str] | None = None) -> None:
    """Wait until nothing changes any more of what a look at the screen tells, by default its text."""
    looks = [""]

    def rests() -> bool:
        looks.append((look or drawn)(seat))
        return len(looks) > LOOKS and len(set(looks[-LOOKS:])) == 1

    await until(rests, READ_SECONDS)


def drawn(seat: Seat) -> str:
    return "\n".join(seat.lines) + "\n"
