"""What goes into the clipboard of a person's terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.conftest import until
from tests.tui.showcase import CODE, TRACE, showcase, visit

#: Where `y` is pressed, and how the text begins that is copied.
COPIED = {
    "jobs": "report",
    "job-overview": TRACE,
    "job-runs": TRACE,
    "job-code": CODE,
    "job-settings": "",
    "run-log": "",
    "run-values": "",
    "run-code": CODE,
    "run-diff": "",
    "charts-timeline": "at once, most",
    "settings": "pool.size = 5",
    "library": "ab" * 32,
}
#: What is copied whole, as it is.
WHOLE = ("jobs", "job-overview", "job-runs", "job-code", "run-code", "settings", "library")
SAID = {
    "job-settings": "every",
    "run-log": "line 30",
    "run-values": "trigger",
    "run-diff": "local broken = 1",
}


@pytest.mark.parametrize("name", COPIED)
async def test_y_copies_what_the_screen_shows_and_says_so(name: str, tmp_path: Path) -> None:
    async with showcase(tmp_path), visit(tmp_path, name, (80, 24)) as seat:
        await seat.press("y")
        await seat.reads("copied")
        copied = seat.app.clipboard
        assert copied.startswith(COPIED[name])
        assert SAID.get(name, "") in copied
        if name in WHOLE:
            assert copied == COPIED[name]


async def test_of_a_long_text_the_beginning_is_copied_and_that_is_said(tmp_path: Path) -> None:
    async with showcase(tmp_path) as engine:
        engine.texts["report"] = "ü" * 60_000
        async with visit(tmp_path, "jobs", (80, 24)) as seat:
            await seat.press("slash", *"job:report", "enter", "enter", "3")
            await seat.reads("üü")
            await seat.press("y")
            await seat.reads("copied the first 74 kB of the code")
            await until(lambda: seat.app.clipboard == "ü" * 37_497)
