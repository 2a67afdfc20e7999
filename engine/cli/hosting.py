"""Hosting an engine in this process until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable

from engine.cli.beside import DashboardProcess
from engine.cli.lines import EventLines
from engine.cli.output import console
from engine.cli.place import Place
from engine.cli.signals import log_to, until_signal
from engine.collector import spare_what_is_loaded
from engine.service import Engine
from engine.settings import Settings
from engine.store.ownership import WAIT_SECONDS


def print_events(
    place: Place,
    settings: Settings,
    *,
    watch: bool,
    patience_seconds: float | None = WAIT_SECONDS,
) -> None:
    """Run the engine, and write one line for each event.

    Args:
        watch: whether saved job files are reloaded at once, where the settings do not say.
        patience_seconds: how long to wait while another engine leads; None: for as long as it does.
    """
    asyncio.run(_print_events(place, settings, watch=watch, patience_seconds=patience_seconds))


def show_live(place: Place, settings: Settings) -> None:
    """Run the engine, and draw on the terminal what it does."""
    asyncio.run(_show_live(place, settings))


def show_dashboard(place: Place, settings: Settings) -> None:
    """Run the engine, with the dashboard on this terminal; leaving that stops the engine."""
    asyncio.run(_show_dashboard(place, settings))


async def _print_events(
    place: Place, settings: Settings, *, watch: bool, patience_seconds: float | None
) -> None:
    engine = _engine(place, settings, watch, logging.StreamHandler(), patience_seconds)
    with EventLines(sys.stdout) as lines, until_signal() as stopped:
        engine.events.subscribe(lines.put)
        await _work(engine, stopped, stopped.wait)


async def _show_live(place: Place, settings: Settings) -> None:
    # Few look at an engine so, and the others need not wait for what draws tables.
    from engine.cli.live import LiveView

    view = LiveView(console())
    engine = _engine(place, settings, True, view.log_handler())
    engine.events.subscribe(view.take)
    with until_signal() as stopped:
        await _work(engine, stopped, lambda: view.show(engine.desk, stopped))


async def _show_dashboard(place: Place, settings: Settings) -> None:
    dashboard = DashboardProcess(place.home)
    engine = _engine(place, settings, True, dashboard.log_handler())
    with until_signal() as stopped:
        await _work(engine, stopped, lambda: dashboard.show(stopped))


def _engine(
    place: Place,
    settings: Settings,
    watch: bool,
    handler: logging.Handler,
    patience_seconds: float | None = WAIT_SECONDS,
) -> Engine:
    log_to(handler, settings.log.level)
    return Engine(
        settings,
        home=place.home,
        watch=watch,
        taken_commands=place.commands,
        patience_seconds=patience_seconds,
    )


async def _work(engine: Engine, stopped: asyncio.Event, show: Callable[[], Awaitable[object]]) -> None:
    """Start the engine, let it work for as long as `show` goes on, and stop it.

    Raises:
        StoreError: it had to stop by itself.
    """
    engine.when_over(stopped.set)
    if await _started(engine, stopped):
        spare_what_is_loaded()
        try:
            await show()
        finally:
            await engine.stop()
    if engine.over is not None:
        raise engine.over


async def _started(engine: Engine, stopped: asyncio.Event) -> bool:
    """Start the engine; return False if the signal to stop came before it was ready."""
    start = asyncio.ensure_future(engine.start())
    signalled = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({start, signalled}, return_when=asyncio.FIRST_COMPLETED)
    signalled.cancel()
    if not start.done():
        start.cancel()
        await asyncio.wait({start})
    if start.cancelled():
        return False
    start.result()
    return True
