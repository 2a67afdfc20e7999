"""A relay before a server that dies when told to: it breaks all connections off, and takes no new ones."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

#: Closing sends a reset, as the kernel does for a process that was killed with unread data.
_RESET = struct.pack("ii", 1, 0)


class Cutter:
    """A port that leads to another one, or to nobody."""

    def __init__(self, port: int) -> None:
        """Listen on a free port of the loopback, for a server at `port`."""
        self._server = port
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._dead = False
        self.cut = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def die(self) -> None:
        """Break off all that is under way; who comes from now on is cut off at once."""
        with self._lock:
            self._dead = True
            self.cut += len(self._open) // 2
            for one in self._open:
                _reset(one)
            self._open.clear()

    def live(self) -> None:
        """Take connections again."""
        with self._lock:
            self._dead = False

    def close(self) -> None:
        """Listen no more."""
        self.die()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _address = self._listener.accept()
                with suppress(OSError):
                    self._connect(caller)

    def _connect(self, caller: socket.socket) -> None:
        with self._lock:
            if self._dead:
                _reset(caller)
                return
            server = socket.create_connection(("127.0.0.1", self._server))
            self._open |= {caller, server}
        for one, other in ((caller, server), (server, caller)):
            threading.Thread(target=self._relay, args=(one, other), daemon=True).start()

    def _relay(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with self._lock:
            if self._open & {one, other}:
                self._open -= {one, other}
                _reset(one)
                _reset(other)


def _reset(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def before(port: int) -> Iterator[Cutter]:
    """Give a relay before a server until the block ends."""
    cutter = Cutter(port)
    try:
        yield cutter
    finally:
        cutter.close()
