"""A worker in this process, until a signal ends it."""

from __future__ import annotations

import asyncio
import logging

from engine.cli.place import Place
from engine.cli.signals import log_to, until_signal
from engine.settings import Settings
from engine.workernode import USUAL_SLOTS, Offer, WorkerNode, read_offer


def carry_out(place: Place, settings: Settings, *, tags: str, slots: int | None, name: str) -> None:
    """Run a worker, and write one line when it begins and one when it ends.

    Args:
        tags: what it offers, with commas between.
        slots: how many runs at once; None: as many as an engine.
        name: what it is called; "" is the name of the machine.

    Raises:
        SettingsError: it cannot offer that.
    """
    log_to(logging.StreamHandler(), settings.log.level)
    offer = read_offer(tags, slots=slots or settings.pool.size or USUAL_SLOTS, name=name)
    asyncio.run(_carry_out(WorkerNode(settings, home=place.home, offer=offer), offer))


async def _carry_out(worker: WorkerNode, offer: Offer) -> None:
    with until_signal() as stopped:
        await worker.start()
        offered = f", tags {', '.join(offer.tags)}" if offer.tags else ""
        print(f"worker {offer.name} takes runs: {offer.slots} at once{offered}", flush=True)
        try:
            await stopped.wait()
        finally:
            cut_short = await worker.stop()
        told = f"; stopped: {', '.join(map(str, cut_short))}" if cut_short else ""
        print(f"worker {offer.name} has ended{told}", flush=True)
