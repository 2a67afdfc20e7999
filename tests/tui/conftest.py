from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from textual._xterm_parser import XTermParser
from textual.pilot import Pilot

from engine.api.address import socket_in
from engine.api.client import AsyncClient
from engine.api.server import ApiServer
from tests.engine.api.memory_engine import MemoryEngine, filled
from tests.engine.conftest import until
from tui.app import Dashboard

#: A screen that is not there by then never comes, also on a busy machine.
READ_SECONDS = 60


class Seat:
    """A person in front of the dashboard: presses keys and reads the screen."""

    def __init__(self, app: Dashboard, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.dealt_with()
        await self.pilot.pause()

    def type_ahead(self, sent: str) -> None:
        """Let all that a terminal sends for some keys come at once."""
        for event in XTermParser().feed(sent):
            self.app.post_message(event)

    async def dealt_with(self) -> None:
        """Wait until all keys have led to where they lead, or to the end of the dashboard."""
        taken = asyncio.Event()
        self.app.call_later(taken.set)

        def is_done() -> bool:
            return self.app.return_code is not None or (taken.is_set() and not self.app.is_dealing)

        await until(is_done, READ_SECONDS)

    async def type(self, text: str) -> None:
        names = {" ": "space", ":": "colon", "/": "slash", "!": "exclamation_mark", "=": "equals_sign"}
        await self.press(*(names.get(char, char) for char in text))

    @property
    def lines(self) -> list[str]:
        """The screen as text."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def reads(self, *words: str) -> None:
        """Wait until the screen shows all of these."""
        try:
            await until(lambda: all(word in self.text for word in words), READ_SECONDS)
        except TimeoutError:
            pytest.fail(f"{words} not on the screen:\n{self.text}")

    async def gone(self, *words: str) -> None:
        """Wait until the screen shows none of these any more."""
        try:
            await until(lambda: not any(word in self.text for word in words), READ_SECONDS)
        except TimeoutError:
            pytest.fail(f"{words} still on the screen:\n{self.text}")

    def line_with(self, word: str) -> str:
        return next(line for line in self.lines if word in line)


class Sit(Protocol):
    def __call__(
        self, *, size: tuple[int, int] = (80, 24), **options: Any
    ) -> AbstractAsyncContextManager[Seat]: ...


@pytest.fixture
def engine(tmp_path: Path) -> MemoryEngine:
    return filled(tmp_path)


@pytest.fixture
async def server(engine: MemoryEngine) -> AsyncIterator[ApiServer]:
    server = ApiServer(engine, socket_path=socket_in(engine.home))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def sit(tmp_path: Path) -> Sit:
    """Sit down in front of a dashboard of the engine in `tmp_path`, whether one runs or not."""

    @asynccontextmanager
    async def sit_down(*, size: tuple[int, int] = (80, 24), **options: Any) -> AsyncIterator[Seat]:
        app = Dashboard(AsyncClient(socket_in(tmp_path), actor="anna@web1"), **options)
        async with seated(app, size) as seat:
            await seat.pilot.pause()
            yield seat

    return sit_down


@asynccontextmanager
async def seated(app: Dashboard, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Seat]:
    """Run a dashboard without a terminal."""
    app.patience_seconds = READ_SECONDS
    async with app.run_test(size=size, notifications=True) as pilot:
        try:
            yield Seat(app, pilot)
        finally:
            # As a dashboard that ends does itself: `run_test` alone takes the screens down first.
            app.forget()
            app.workers.cancel_all()
