"""Cuts connections of libpq through which far more comes than a result may have.

A driver reads a row as a whole, and some read hundreds of rows, before anybody can look at them. A server may
send a row of a gigabyte; without a limit on what comes in, one job could take the engine's memory.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

from moontide import CoreError
from plugins.sql.driver import OVER_LIMIT, TOO_LARGE

#: Far above all that a result of 1 MB can take on the way.
MOST_BYTES = 16 * 2**20

LOOK_SECONDS = 0.005

#: A look that is older than this is too old to count from: the thread that looks did not get its turn.
OLD_SECONDS = 2 * LOOK_SECONDS

#: Room for what the kernel takes in ahead of the driver: with little of it less can come between two looks,
#: and a driver that reads on as long as there is more often comes to an end.
AHEAD_BYTES = 2**16

# Of Linux's struct tcp_info: where tcpi_bytes_received stands.
_INFO_BYTES = 136
_RECEIVED_AT = 128

#: struct linger: closing throws away what is on the way, and tells the server at once. Without it a server
#: that waits for room to send hears of the end only when it next asks for room, which may be seconds later.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Intake:
    """Watches a connection while it carries out a statement, one statement after another.

    Asking the kernel for each short statement would cost as much as its rows: statements that follow soon are
    counted from the last look on.
    """

    def __init__(self, wire: socket.socket | None) -> None:
        """Make a watch.

        Args:
            wire: the connection's socket; None (or a socket without counters) is not watched.
        """
        seen = received(wire)
        self._wire = wire if seen is not None else None
        self._seen = self._before = seen or 0
        self._looked = time.monotonic()
        self._watching = self._cut = False
        if self._wire is not None:
            self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, AHEAD_BYTES)

    def __enter__(self) -> Intake:
        if time.monotonic() - self._looked > OLD_SECONDS:
            self._count()
        self._before = self._seen
        self._watching = True
        if self._wire is not None:
            _LOOKOUT.watch(self)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._watching = False
        if self._cut and isinstance(error, Exception):
            raise CoreError(TOO_LARGE, OVER_LIMIT) from error

    def look(self) -> bool:
        """Count what came, and cut the connection if it is too much; return whether to look again."""
        if not self._count():
            return False
        if self._watching and self._seen - self._before > MOST_BYTES:
            self._end()
        return self._watching and not self._cut

    def _count(self) -> bool:
        """Note how much came so far; return whether anybody counts that."""
        seen = received(self._wire)
        self._looked = time.monotonic()
        if seen is not None:
            self._seen = seen
        return seen is not None

    def _end(self) -> None:
        assert self._wire is not None
        self._cut = True
        with contextlib.suppress(OSError):
            self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self._wire.shutdown(socket.SHUT_RDWR)


class _Lookout:
    """Looks at all connections with a statement under way, in a thread that rests while there are none.

    The loop cannot do it: libpq reads on as long as there is more, and may read a whole gigabyte in one step
    of the loop. It lets other threads run meanwhile.
    """

    def __init__(self) -> None:
        self._watched: set[Intake] = set()
        self._needed = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, intake: Intake) -> None:
        """Look at a connection until its statement is done; called from the loop's thread."""
        self._watched.add(intake)
        if not self._needed.is_set():
            self._needed.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._look_out, name="sql-lookout", daemon=True)
            self._thread.start()

    def _look_out(self) -> None:
        while True:
            self._needed.wait()
            time.sleep(LOOK_SECONDS)
            for intake in list(self._watched):
                # Taken out before the look: a statement that begins meanwhile puts it in again.
                self._watched.discard(intake)
                if intake.look():
                    self._watched.add(intake)
            if not self._watched:
                self._needed.clear()
                if self._watched:
                    self._needed.set()


_LOOKOUT = _Lookout()


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
