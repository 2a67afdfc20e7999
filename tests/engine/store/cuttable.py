"""A way to a database server that can be cut in the midst of a commit."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from tests.services import HOST, Server

COMMIT = b"COMMIT"


class CuttableWay:
    """Passes on what goes to a server and comes back, for any number of connections.

    When it is told to, it cuts the connection on which the next COMMIT comes: before the server hears of it,
    or so that the server carries it out while nobody hears of the answer.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._listener = socket.create_server((HOST, 0))
        self.port = int(self._listener.getsockname()[1])
        self._cut_before = self._cut_after = False
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_before_commit(self) -> None:
        """Let the server not hear of the next COMMIT."""
        self._cut_before = True

    def cut_after_commit(self) -> None:
        """Let nobody hear what the server answers to the next COMMIT."""
        self._cut_after = True

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection((self._server.host, self._server.port))
                threading.Thread(target=self._there, args=(near, far), daemon=True).start()
                threading.Thread(target=self._back, args=(near, far), daemon=True).start()

    def _there(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError), near, far:
            while data := near.recv(65_536):
                if COMMIT in data and self._cut_before:
                    self._cut_before = False
                    self.cuts += 1
                    return self._end(near, far)
                if COMMIT in data and self._cut_after:
                    self._cut_after = False
                    self._hide_answer(near, far, data)
                    return None
                far.sendall(data)
        return None

    def _hide_answer(self, near: socket.socket, far: socket.socket, data: bytes) -> None:
        # The other thread may still read what the server answers, but nobody takes it from there.
        near.shutdown(socket.SHUT_WR)
        far.sendall(data)
        self.cuts += 1

    def _back(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(65_536):
                near.sendall(data)
        self._end(near, far)

    @staticmethod
    def _end(*ends: socket.socket) -> None:
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
