"""Where the dashboards of sessions come from: a process that has all loaded, and is forked for each login.

It is started with a clean environment. Where the engine is and what opens it come through a socket of the new
session's own, so neither stands on a command line, in an environment, or in the memory of other sessions.
"""

from __future__ import annotations

import fcntl
import gc
import os
import select
import signal
import socket
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import msgspec

from engine.dashboards import load_dashboard

#: No order is longer.
ORDER_BYTES = 16 * 1024

Show = Callable[..., int]


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


class Screens:
    """Forks a process for each session's socket that arrives, and tells through that how it ended."""

    def __init__(self, control: socket.socket, show: Show) -> None:
        self._control = control
        self._show = show
        self._sessions: dict[int, tuple[int, socket.socket]] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def serve(self) -> None:
        """Fork and reap until the engine hangs up."""
        while True:
            for descriptor, _events in self._poll.poll():
                if descriptor != self._control.fileno():
                    self._reap(descriptor)
                elif not self._obey():
                    return

    def _obey(self) -> bool:
        asked, descriptors, _flags, _address = socket.recv_fds(self._control, 1, 1)
        if not asked:
            return False
        self._fork(socket.socket(fileno=descriptors[0]))
        return True

    def _fork(self, session: socket.socket) -> None:
        try:
            pid = os.fork()
        except OSError:
            # That its socket is closed tells so.
            session.close()
            return
        if pid == 0:
            self._become_session(session)
        process = os.pidfd_open(pid)
        self._sessions[process] = pid, session
        self._poll.register(process, select.POLLIN)
        with suppress(OSError):
            socket.send_fds(session, [b"."], [process])

    def _become_session(self, session: socket.socket) -> NoReturn:
        self._control.close()
        for process, (_pid, other) in self._sessions.items():
            os.close(process)
            other.close()
        os.setsid()
        sys.exit(_carry_out(session, self._show))

    def _reap(self, process: int) -> None:
        pid, session = self._sessions.pop(process)
        self._poll.unregister(process)
        os.close(process)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        # It may be that nobody wants to know any more.
        with session, suppress(OSError):
            session.send(b"%d" % code)


def main(control: int) -> int:
    """Have a dashboard loaded, and make processes that show it until the engine hangs up."""
    _forget_signals()
    show = load_dashboard()
    # Loaded now, before anybody waits for it.
    import engine.api.client  # noqa: F401

    # So that the collector writes to no page that the sessions share.
    gc.freeze()
    with socket.socket(fileno=control) as asking:
        Screens(asking, show).serve()
    return 0


def _carry_out(session: socket.socket, show: Show) -> int:
    with session:
        data, terminals, _flags, _address = socket.recv_fds(session, ORDER_BYTES, 1)
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
