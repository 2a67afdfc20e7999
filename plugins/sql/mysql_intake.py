"""Cuts connections to MySQL through which far more comes than a result may have.

The driver reads a row as a whole before anybody can look at it, and a server may send one of a gigabyte. All
that it reads comes through its protocol piece by piece: there it is counted.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from plugins.sql.intake import MOST_BYTES, RESET_ON_CLOSE


class MysqlIntake:
    """Counts what one connection receives for one statement after another.

    Attributes:
        cut: the connection was ended because of too much.
    """

    def __init__(self, wire: Any) -> None:
        """Count from now on.

        Args:
            wire: the driver's connection, open.
        """
        self.cut = False
        self._left = MOST_BYTES
        self._transport = wire._transport
        protocol = wire._proto
        self._deliver = protocol.buffer_updated
        protocol.buffer_updated = self._received

    def begin(self) -> None:
        """Count for another statement."""
        self._left = MOST_BYTES

    def _received(self, size: int) -> None:
        self._left -= size
        if self._left < 0 and not self.cut:
            self._end()
        self._deliver(size)

    def _end(self) -> None:
        self.cut = True
        with contextlib.suppress(OSError):
            wire = self._transport.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._transport.abort()
