"""Cuts connections through which far more comes than a result may have.

A driver reads a row as a whole, and some read hundreds of rows, before anybody can look at them. A server may
send a row of a gigabyte; without a limit on what comes in, one job could take the engine's memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

from moontide import CoreError
from plugins.sql.driver import OVER_LIMIT, TOO_LARGE

#: Far above all that a result of 1 MB can take on the way.
MOST_BYTES = 16 * 2**20

LOOK_SECONDS = 0.005

#: Room for what the kernel takes in ahead of the driver. A driver reads on as long as there is more, and
#: nothing else runs meanwhile: with little room it often comes to an end, and the watch gets its turn.
AHEAD_BYTES = 2**16

# Of Linux's struct tcp_info: where tcpi_bytes_received stands.
_INFO_BYTES = 136
_RECEIVED_AT = 128

# struct linger: closing throws away what is on the way, and tells the server at once. Without it a server
# that waits for room to send hears of the end only when it next asks for room, which may be seconds later.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Intake:
    """Watches one statement on a connection."""

    def __init__(self, wire: socket.socket | None) -> None:
        """Make a watch.

        Args:
            wire: the connection's socket; None (or a socket without counters) is not watched.
        """
        self._wire = wire
        self._before = received(wire)
        self._timer: asyncio.TimerHandle | None = None
        self._cut = False

    def __enter__(self) -> Intake:
        if self._before is not None and self._wire is not None:
            self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, AHEAD_BYTES)
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._cut and isinstance(error, Exception):
            raise CoreError(TOO_LARGE, OVER_LIMIT) from error

    def _look(self) -> None:
        now = received(self._wire)
        if now is None or self._before is None or self._wire is None:
            return
        if now - self._before > MOST_BYTES:
            self._cut = True
            with contextlib.suppress(OSError):
                self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                self._wire.shutdown(socket.SHUT_RDWR)
        else:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)


def received(wire: socket.socket | None) -> int | None:
    """Return how many bytes have come through a TCP connection; None where nobody counts."""
    if wire is None:
        return None
    try:
        info = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return None
    if len(info) < _INFO_BYTES:
        return None
    return int(struct.unpack_from("=Q", info, _RECEIVED_AT)[0])
