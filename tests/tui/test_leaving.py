"""Leaving a screen while something is still under way for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from tests.tui.conftest import Sit
from tui.page import Page


class Last(Static):
    """A part whose end lets an answer in, at the worst moment for the screen that waits for it."""

    def __init__(self, answered: asyncio.Event) -> None:
        super().__init__()
        self._answered = answered

    def on_unmount(self) -> None:
        self._answered.set()


class Waiting(Page):
    """A screen that shows an answer as soon as it comes."""

    def body(self) -> Iterable[Widget]:
        self.answered = asyncio.Event()
        yield Last(self.answered)

    def on_mount(self) -> None:
        self.run_worker(self._show())

    async def _show(self) -> None:
        await self.answered.wait()
        self.query_one(Last).update("the answer")


async def test_an_answer_that_comes_while_a_screen_goes_is_dropped(sit: Sit) -> None:
    async with sit() as seat:
        screen = Waiting(seat.app.context)
        await seat.app.push_screen(screen)
        await seat.app.pop_screen()
        assert screen.answered.is_set()
        assert not screen.is_attached


class Parting(Static):
    """A part whose end is a moment in which its screen follows the model once more."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page

    def on_unmount(self) -> None:
        self._page.on_screen_resume()


class Following(Page):
    """A screen that fetches something whenever it follows the model."""

    def body(self) -> Iterable[Widget]:
        yield Parting(self)

    def tick(self) -> None:
        self.run_worker(self._show())

    async def _show(self) -> None:
        # As an answer, which never comes at once.
        await asyncio.sleep(0)
        self.query_one(Parting).update("the answer")


async def test_a_dashboard_that_ends_begins_nothing_for_its_screens(sit: Sit) -> None:
    async with sit() as seat:
        await seat.app.push_screen(Following(seat.app.context))
