"""Keys that come all at once, as over a slow line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from textual import events
from textual.widget import Widget
from textual.widgets import Static

from engine.api.server import ApiServer
from tests.engine.conftest import OpenBench, open_bench, until
from tests.tui.conftest import READ_SECONDS, Seat, Sit
from tui.page import Page
from tui.screens.editor import EditorScreen
from tui.screens.jobs import JobsScreen
from tui.screens.run import RunScreen
from tui.widgets.dialogs import Choice, Confirm
from tui.widgets.filterline import FilterLine

__all__ = ["open_bench"]

FILE = """local job = core.job { every = "1h" }
function job.run() return job.OK end
return job
"""
FILES = {"beat": FILE, "report": FILE}

RELOAD, SAVE, LEAVE, DELETE = "\x12", "\x13", "\x11", "\x7f"


async def test_enter_keeps_the_filter_before_the_next_key_acts(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(FILES), sit() as seat:
        await seat.reads("beat", "report")
        seat.type_ahead("/beat\re")
        await seat.reads("jobs › beat › edit", "Ln 1, Col 1")
        home = seat.app.screen_stack[1]
        assert home.query_one(FilterLine).value == "beat"


async def test_a_job_is_named_set_up_and_written_in_one_go(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(FILES) as bench, sit() as seat:
        await seat.reads("beat")
        seat.type_ahead(f"nfresh\r{SAVE}-- Mine\r{SAVE}")
        await seat.reads("jobs › fresh › edit", "Ln 2, Col 1", "saved")
        fresh = bench.jobs_folder / "fresh.lua"
        await until(lambda: fresh.read_text().startswith("-- Mine\nlocal job"), READ_SECONDS)


async def test_what_is_typed_before_it_is_saved_is_saved_too(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(FILES) as bench, sit() as seat:
        await seat.reads("beat")
        seat.type_ahead(f"/beat\ro{DELETE * 10}90m{SAVE}")
        await until(lambda: '"90m"' in (bench.jobs_folder / "beat.lua").read_text(), READ_SECONDS)


async def test_a_key_behind_an_answer_goes_to_the_screen_below(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(FILES), sit() as seat:
        await seat.reads("beat", "report")
        assert isinstance(seat.app.screen, JobsScreen)
        below = seat.app.screen.grid
        first = below.cursor_row
        seat.type_ahead(f"{RELOAD}\rj")
        await until(lambda: below.cursor_row is not first, READ_SECONDS)
        assert isinstance(seat.app.screen, JobsScreen)


async def test_a_question_that_is_still_being_put_gets_the_answer(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(FILES) as bench, sit() as seat:
        await seat.reads("beat")
        (bench.jobs_folder / "beat.lua").write_text(FILE.replace("1h", "2h"))
        seat.type_ahead(f"{RELOAD}yh")
        await seat.reads("reloaded: 1 changed", "RUN", "STARTED")


async def test_a_list_has_its_rows_before_a_key_behind_opens_one(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(FILES), sit() as seat:
        await seat.reads("beat")
        await seat.app.context.client.run_job("beat")
        seat.type_ahead("h\r")
        await until(lambda: isinstance(seat.app.screen, RunScreen), READ_SECONDS)


async def test_what_is_pasted_keeps_its_place(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(FILES), sit() as seat:
        await seat.reads("beat", "report")
        seat.type_ahead("/\x1b[200~report\x1b[201~\re")
        await seat.reads("jobs › report › edit")


async def test_a_key_behind_a_click_goes_where_the_click_led(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(FILES), sit() as seat:
        await seat.reads("beat", "report")
        await seat.press("ctrl+r")
        await seat.reads("Read the jobs folder again?")
        assert isinstance(seat.app.screen, Confirm)
        cancel = seat.app.screen.query(Choice).first().region.center
        place = f"{int(cancel[0]) + 1};{int(cancel[1]) + 1}"
        seat.type_ahead(f"\x1b[<0;{place}M\x1b[<0;{place}m/repo")
        await seat.dealt_with()
        assert isinstance(seat.app.screen, JobsScreen)
        assert seat.app.screen.query_one(FilterLine).value == "repo"


async def test_a_click_on_nothing_holds_up_no_key(sit: Sit, server: ApiServer) -> None:
    async with sit() as seat:
        await seat.reads("report")
        seat.type_ahead("\x1b[<0;500;500M\x1b[<0;500;500m/repo")
        await seat.gone("endless")


#: What opens each screen, from the list of jobs.
SCREENS = ["\r", "e", "o", "h", "u", "A", "b", "c", "a", "C", "w", "L", "P", ",", "i", "?", ":", "n"]


@pytest.mark.parametrize("keys", SCREENS)
async def test_no_screen_holds_up_keys_by_what_it_follows(open_bench: OpenBench, sit: Sit, keys: str) -> None:
    async with open_bench(FILES), sit() as seat:
        await seat.reads("beat")
        seat.app.patience_seconds = 3600
        seat.type_ahead(keys)
        await seat.dealt_with()
        assert len(seat.app.screen_stack) > 2


class Slow(Static, can_focus=True):
    """A part that comes to no end with a key before it is told to."""

    def __init__(self, released: asyncio.Event) -> None:
        super().__init__()
        self._released = released

    async def on_key(self, event: events.Key) -> None:
        await self._released.wait()


class SlowPage(Page):
    AUTO_FOCUS = "Slow"

    def body(self) -> Iterable[Widget]:
        self.released = asyncio.Event()
        yield Slow(self.released)


async def test_a_key_that_is_not_done_with_holds_up_no_other_for_ever(sit: Sit, server: ApiServer) -> None:
    async with sit() as seat:
        page = SlowPage(seat.app.context)
        await seat.app.push_screen(page)
        seat.app.patience_seconds = 0.05
        seat.type_ahead(f"x{LEAVE}")
        await until(lambda: seat.app.return_code is not None, READ_SECONDS)
        page.released.set()


class Vanishing(Static, can_focus=True):
    """A part that goes with the first key."""

    async def on_key(self, event: events.Key) -> None:
        event.stop()
        self.remove()


class VanishingPage(Page):
    AUTO_FOCUS = "Vanishing"

    def body(self) -> Iterable[Widget]:
        yield Vanishing()


async def test_a_part_that_goes_with_a_key_holds_up_none(sit: Sit, server: ApiServer) -> None:
    async with sit() as seat:
        await seat.app.push_screen(VanishingPage(seat.app.context))
        seat.app.patience_seconds = 3600
        seat.type_ahead("xi")
        await seat.reads("session")
        await seat.dealt_with()


async def test_many_keys_are_dealt_with_in_their_order(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(FILES), sit() as seat:
        await seat.reads("beat")
        text = "the quick brown fox " * 20
        seat.type_ahead(f"/beat\re{text}")
        await until(lambda: _edited(seat).startswith(text), READ_SECONDS)


def _edited(seat: Seat) -> str:
    return seat.app.screen.area.text if isinstance(seat.app.screen, EditorScreen) else ""
