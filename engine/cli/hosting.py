"""Hosting an engine in this process until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from engine.cli.beside import DashboardProcess
from engine.cli.commands import command_names
from engine.cli.lines import EventLines
from engine.cli.live import LiveView
from engine.cli.output import console
from engine.cli.place import Place
from engine.collector import spare_what_is_loaded
from engine.service import Engine
from engine.store.ownership import WAIT_SECONDS
from engine.workernode import USUAL_SLOTS, Offer, WorkerNode, read_offer

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def print_events(
    place: Place,
    disable: Sequence[str] = (),
    *,
    watch: bool,
    patience_seconds: float | None = WAIT_SECONDS,
) -> None:
    """Run the engine, and write one line for each event.

    Args:
        disable: names of plugins to leave out, besides those of the settings.
        watch: whether saved job files are reloaded at once, where the settings do not say.
        patience_seconds: how long to wait while another engine leads; None: for as long as it does.
    """
    asyncio.run(_print_events(place, disable, watch=watch, patience_seconds=patience_seconds))


def show_live(place: Place, disable: Sequence[str] = ()) -> None:
    """Run the engine, and draw on the terminal what it does."""
    asyncio.run(_show_live(place, disable))


def show_dashboard(place: Place, disable: Sequence[str] = ()) -> None:
    """Run the engine, with the dashboard on this terminal; leaving that stops the engine."""
    asyncio.run(_show_dashboard(place, disable))


def carry_out(place: Place, disable: Sequence[str], *, tags: str, slots: int | None, name: str) -> None:
    """Run a worker, and write one line when it begins and one when it ends.

    Args:
        tags: what it offers, with commas between.
        slots: how many runs at once; None: as many as an engine.
        name: what it is called; "" is the name of the machine.

    Raises:
        SettingsError: it cannot offer that.
    """
    settings = place.settings().without_plugins(disable)
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    logging.getLogger("moontide").setLevel(settings.log.level.upper())
    offer = read_offer(tags, slots=slots or settings.pool.size or USUAL_SLOTS, name=name)
    asyncio.run(_carry_out(WorkerNode(settings, home=place.home, offer=offer), offer))


async def _carry_out(worker: WorkerNode, offer: Offer) -> None:
    with _until_signal() as stopped:
        await worker.start()
        offered = f", tags {', '.join(offer.tags)}" if offer.tags else ""
        print(f"worker {offer.name} takes runs: {offer.slots} at once{offered}", flush=True)
        try:
            await stopped.wait()
        finally:
            cut_short = await worker.stop()
        told = f"; stopped: {', '.join(map(str, cut_short))}" if cut_short else ""
        print(f"worker {offer.name} has ended{told}", flush=True)


async def _print_events(
    place: Place, disable: Sequence[str], *, watch: bool, patience_seconds: float | None
) -> None:
    engine = _engine(place, disable, watch, logging.StreamHandler(), patience_seconds)
    with EventLines(sys.stdout) as lines, _until_signal() as stopped:
        engine.events.subscribe(lines.put)
        await _work(engine, stopped, stopped.wait)


async def _show_live(place: Place, disable: Sequence[str]) -> None:
    view = LiveView(console())
    engine = _engine(place, disable, True, view.log_handler())
    engine.events.subscribe(view.take)
    with _until_signal() as stopped:
        await _work(engine, stopped, lambda: view.show(engine.desk, stopped))


async def _show_dashboard(place: Place, disable: Sequence[str]) -> None:
    dashboard = DashboardProcess(place.home)
    engine = _engine(place, disable, True, dashboard.log_handler())
    with _until_signal() as stopped:
        await _work(engine, stopped, lambda: dashboard.show(stopped))


def _engine(
    place: Place,
    disable: Sequence[str],
    watch: bool,
    handler: logging.Handler,
    patience_seconds: float | None = WAIT_SECONDS,
) -> Engine:
    settings = place.settings().without_plugins(disable)
    # Libraries are heard from when something is wrong; the setting is about the engine's own words.
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT, handlers=[handler])
    logging.getLogger("moontide").setLevel(settings.log.level.upper())
    return Engine(
        settings,
        home=place.home,
        watch=watch,
        taken_commands=command_names(),
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


@contextmanager
def _until_signal() -> Iterator[asyncio.Event]:
    """Give an event that the first SIGINT or SIGTERM sets; the second one ends the process at once."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        # The terminal or the SSH session was closed, and nobody asked for more with nohup.
        signals.append(signal.SIGHUP)

    def stop() -> None:
        stopped.set()
        for number in signals:
            loop.remove_signal_handler(number)
            # The kernel's own action: it works even when the loop hangs.
            signal.signal(number, signal.SIG_DFL)

    for number in signals:
        loop.add_signal_handler(number, stop)
    yield stopped
