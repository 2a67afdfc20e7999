"""The engine's end of a worker: frames over a non-blocking socket, the process held by its pidfd."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from typing import Protocol

from engine.errors import WireError
from engine.sandbox import wire

_RECEIVE_BYTES = 2**16

#: A worker that does not read gets this much; then it is lost.
MAX_UNSENT_BYTES = 20 * 2**20


class Listener(Protocol):
    """Whoever has business with a worker at present."""

    def received(self, message: wire.FromWorker) -> None:
        """Take a message of the worker."""

    def lost(self, why: str | None) -> None:
        """The worker hung up, or broke the protocol (`why`); nothing more will come."""

    def dismissed(self) -> None:
        """The engine stops and has killed the worker; nothing more will come."""


class WorkerChannel:
    """One worker process as the engine sees it."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._frames = wire.FrameBuffer()
        self._unsent = bytearray()
        self._pidfd: int | None = None
        self._open = True
        self.pid: int | None = None
        self.listener: Listener | None = None
        self.exited: asyncio.Future[wire.Reaped | None] = self._loop.create_future()
        self.runs = 0
        self.cpu_seconds = 0.0
        self.idle_since = 0.0
        self._loop.add_reader(connection, self._read)

    @property
    def alive(self) -> bool:
        """Whether the line to the worker stands."""
        return self._open

    @property
    def has_more(self) -> bool:
        """Whether more has come than the message that the listener was given last."""
        return not self._frames.empty

    def has_hung_up(self) -> bool:
        """Whether the worker is gone, even if the loop has not heard of it yet."""
        try:
            return not self._connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def adopt(self, pid: int, pidfd: int) -> None:
        """Take hold of the process; kill it at once if it is not wanted any more."""
        self.pid, self._pidfd = pid, pidfd
        if not self._open:
            self.kill()

    def send(self, message: wire.Message) -> None:
        """Send without blocking; what does not fit waits for the worker to read.

        Raises:
            WireError: the message is longer than a frame may be.
        """
        if not self._open:
            return
        data = wire.frame(message)
        sent = 0 if self._unsent else self._try_send(data)
        if sent == len(data):
            return
        if not self._unsent:
            self._loop.add_writer(self._connection, self._write)
        with memoryview(data) as view:
            self._unsent += view[sent:]
        if len(self._unsent) > MAX_UNSENT_BYTES:
            self.lose("the worker does not read what is sent to it")

    def pause(self) -> None:
        """Read nothing until `resume`; the worker waits as soon as the line is full."""
        if self._open:
            self._loop.remove_reader(self._connection)

    def resume(self) -> None:
        """Read again."""
        if self._open:
            self._loop.add_reader(self._connection, self._read)

    def kill(self) -> None:
        """End the process with SIGKILL and hang up; `exited` tells when it is gone."""
        self._hang_up()
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def dismiss(self) -> None:
        """Kill the worker because the engine stops, and tell whoever has business with it."""
        listener = self.listener
        self.kill()
        if listener is not None:
            listener.dismissed()

    def lose(self, why: str | None) -> None:
        """Kill what is left of the worker and tell whoever has business with it."""
        listener = self.listener
        self.kill()
        if listener is not None:
            listener.lost(why)

    def reaped(self, report: wire.Reaped | None) -> None:
        """Take the news that the process is gone (None: its end was not seen)."""
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        if not self.exited.done():
            self.exited.set_result(report)

    def _try_send(self, data: bytes | bytearray) -> int:
        try:
            return self._connection.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            # The reader hears of the broken line too, and tells the listener.
            return len(data)

    def _write(self) -> None:
        del self._unsent[: self._try_send(self._unsent)]
        if not self._unsent and self._open:
            self._loop.remove_writer(self._connection)

    def _read(self) -> None:
        try:
            data = self._connection.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lose(None)
            return
        try:
            for payload in self._frames.feed(data):
                self._deliver(payload)
        except WireError as error:
            self.lose(str(error))

    def _deliver(self, payload: bytes) -> None:
        message = wire.unpack(wire.from_worker, payload)
        if self.listener is None:
            raise WireError(f"{type(message).__name__} from a worker without a run")
        if self._open:
            self.listener.received(message)

    def _hang_up(self) -> None:
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._connection)
        if self._unsent:
            self._loop.remove_writer(self._connection)
            self._unsent.clear()
        self._connection.close()
