"""What every long-lived process of Moontide does alike: it ends at a signal, and logs in one form."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to(handler: logging.Handler, level: str) -> None:
    """Have the engine's own words from a level on written; libraries are heard when something is wrong."""
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT, handlers=[handler])
    logging.getLogger("moontide").setLevel(level.upper())


@contextmanager
def until_signal() -> Iterator[asyncio.Event]:
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
