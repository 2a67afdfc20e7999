"""What a session's own process does: loads the dashboard, waits for who logs in, and shows it to them.

It is started with a clean environment. Where the engine is and what opens it come through a socket that it
inherits, so neither stands on a command line or in an environment.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.dashboards import load_dashboard

#: No order is longer.
ORDER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Order:
    """Who is to be shown what.

    Attributes:
        engine: the path of the engine's socket.
        token: what opens it, for this session.
        environment: what describes the terminal.
        memory: the path of the file in which the dashboard remembers what this key likes.
    """

    engine: str
    token: str
    environment: dict[str, str]
    memory: str


def main(channel: int) -> int:
    """Wait for an order on an inherited socket and carry it out; without one, end."""
    _forget_signals()
    show = load_dashboard()
    # Loaded now, before anybody waits for it.
    import engine.api.client  # noqa: F401

    with socket.socket(fileno=channel) as waiting:
        data, terminals, _, _ = socket.recv_fds(waiting, ORDER_BYTES, 1)
    if not terminals:
        return 0
    order = msgspec.json.decode(data, type=Order)
    _take_terminal(terminals[0])
    os.environ.update(order.environment)
    return show(Path(order.engine), token=order.token, memory=Path(order.memory))


def _forget_signals() -> None:
    """Take back what the engine, or who started it, lets processes ignore or hold back."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (
        signal.SIGHUP,
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGPIPE,
        signal.SIGCHLD,
    ):
        signal.signal(number, signal.SIG_DFL)


def _take_terminal(terminal: int) -> None:
    """Make a terminal the one that this process has."""
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for stream in (0, 1, 2):
        os.dup2(terminal, stream)
    if terminal > 2:
        os.close(terminal)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
