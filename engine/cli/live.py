"""The live text view of `moontide up`: the jobs, and what happened last."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from engine.api.operations import Operations
from engine.cli.eventwords import event_lines
from engine.cli.output import drawn, fitting
from engine.cli.overview import JOB_COLUMNS, JOB_WIDTHS, job_rows
from engine.cli.words import clean, local_time
from engine.events import Event, JobChanged
from engine.views import EngineView

#: The screen is drawn at most so often; with many jobs more rarely, so that drawing stays a small share.
REDRAW_SECONDS = 0.25
SHARE_OF_TIME = 20

EVENT_LINES = 100
LINES_FOR_EVENTS = 8
LINES_BESIDE_TABLES = 4


class LiveView:
    """Shows the engine until it is told to stop; keeps still while nothing happens."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._recent: deque[str] = deque(maxlen=EVENT_LINES)
        self._changed = asyncio.Event()

    def take(self, event: Event) -> None:
        """Note an event for the next drawing."""
        if not isinstance(event, JobChanged):
            self._recent.extend(f"{local_time(event.at)[11:]} {clean(line)}" for line in event_lines(event))
        self._changed.set()

    def log_handler(self) -> logging.Handler:
        """Return a handler that puts the engine's own messages among the events."""
        return _IntoView(self)

    def note(self, text: str) -> None:
        """Put a line among the events."""
        self._recent.append(f"{local_time(datetime.now(UTC))[11:]} {clean(text)}")
        self._changed.set()

    async def show(self, engine: Operations, stopped: asyncio.Event) -> None:
        """Draw the engine whenever something changed, until `stopped` is set."""
        drawing = asyncio.ensure_future(self._draw_always(engine))
        try:
            await stopped.wait()
        finally:
            drawing.cancel()
            await asyncio.wait({drawing})
        with suppress(OSError):
            self._console.print("stopping; Ctrl-C again stops at once")
        if not drawing.cancelled():
            drawing.result()

    async def _draw_always(self, engine: Operations) -> None:
        # A terminal that was closed takes no more writes; the engine goes on until the signal comes.
        with suppress(OSError), Live(console=self._console, screen=True, auto_refresh=False) as live:
            while True:
                self._changed.clear()
                began = time.monotonic()
                picture = self.picture(engine)
                # In a thread: a terminal that is held (Ctrl-S) must not hold the engine.
                await asyncio.to_thread(live.update, picture, refresh=True)
                await asyncio.sleep(max(REDRAW_SECONDS, SHARE_OF_TIME * (time.monotonic() - began)))
                await self._changed.wait()

    def picture(self, engine: Operations) -> Group:
        """Return what the terminal shows now, cut to its size."""
        width, height = self._console.size
        events = min(LINES_FOR_EVENTS, max(0, height - LINES_BESIDE_TABLES) // 3)
        jobs = self._jobs(engine, width, height - events - LINES_BESIDE_TABLES)
        recent = list(self._recent)[-events:] if events else []
        lines = [Text(line, no_wrap=True, overflow="ellipsis") for line in recent]
        return Group(_headline(engine.status()), Text(""), jobs, Text(""), *lines)

    def _jobs(self, engine: Operations, width: int, rows: int) -> Any:
        views = engine.listed_jobs()
        if not views:
            return Text("no jobs yet; `moontide new NAME` makes one")
        shown = views[: max(1, rows - 1)]
        cells = [[clean(cell) for cell in row] for row in job_rows(shown)]
        table = drawn(*fitting(JOB_COLUMNS, cells, JOB_WIDTHS, width))
        table.caption = f"and {len(views) - len(shown)} more" if len(views) > len(shown) else None
        return table


def _headline(view: EngineView) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("☾ Moontide ", style="bold")
    text.append(f"{view.state}  {view.jobs} jobs  {view.running} running  {view.queued} queued  ")
    text.append(clean(view.home), style="dim")
    return text


class _IntoView(logging.Handler):
    def __init__(self, view: LiveView) -> None:
        super().__init__()
        self._view = view
        self._loop = asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.levelname.lower()}: {record.getMessage()}"
        self._loop.call_soon_threadsafe(self._view.note, text)
