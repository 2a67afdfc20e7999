"""The editor's screen as text, at three sizes, beside what it looked like when somebody looked at it.

After a change that is wanted, DRAW_PICTURES=1 draws the pictures anew; look at them before you commit.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.conftest import OpenBench, open_bench, until
from tests.tui.conftest import Seat, Sit
from tests.tui.test_editor import open_editor

__all__ = ["open_bench"]

PICTURES = Path(__file__).parent / "pictures"
SIZES = [(80, 24), (120, 40), (200, 60)]

FILE = """-- Marks toys that ran out.
local job = core.job {
  every = "often",
  tags = { team = "shop" },
}

function job.run(run)
  core.log("hello", run.id)
  return job.OK, { toys = 3 }
end

return job
"""


def drawn(seat: Seat) -> str:
    """Return the screen below its first line, which tells of the engine and differs each time."""
    return "\n".join(seat.lines[1:]) + "\n"


def compare(seat: Seat, name: str) -> None:
    width, height = seat.app.size
    picture = PICTURES / f"{name}-{width}x{height}.txt"
    if os.environ.get("DRAW_PICTURES"):
        picture.write_text(drawn(seat), "utf-8")
    assert drawn(seat) == picture.read_text("utf-8")


@pytest.mark.parametrize("size", SIZES)
async def test_a_text_with_a_problem_and_a_list_of_ways_to_go_on(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench({"report": FILE}), sit(size=size) as seat:
        editor = await open_editor(seat, "report")
        await until(lambda: seat.app.context.vocabularies, 30)
        editor.area.move_cursor((7, 27))
        await seat.press("enter")
        await seat.type("local made = core.files.")
        await seat.press("down")
        await seat.reads("2/9", "✗ line 10: <name> expected", "✗ 1 problem")
        await until(lambda: editor._watch.is_answered, 30)
        compare(seat, "completion")
