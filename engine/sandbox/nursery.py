"""The engine's end of the zygote: starts it, asks it for workers, hears of their deaths."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable

from engine.errors import PluginError, SandboxError, WireError
from engine.sandbox import wire
from engine.sandbox.channel import WorkerChannel

_log = logging.getLogger(__name__)

#: The program of the zygote, for Python. No setting and no variable changes it.
ZYGOTE = ("-m", "engine.sandbox.zygote")

_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_MESSAGE_BYTES = 2**16
_STDERR_BYTES = 2**16

#: How the C library keeps freed memory: of each small size up to 1 kB so many blocks at hand, at most 34 MB
#: in all. A Lua state is some thousands of them, and each run has a fresh one.
_ALLOCATION = "glibc.malloc.tcache_count=1000"


def clean_environment() -> dict[str, str]:
    """Return the whole environment of the zygote and its workers."""
    environment = {"LC_ALL": "C.UTF-8", "TZ": "UTC0", "GLIBC_TUNABLES": _ALLOCATION}
    libraries = os.environ.get("LD_LIBRARY_PATH")
    if libraries:
        environment["LD_LIBRARY_PATH"] = libraries
    return environment


def _as_file(data: bytes) -> int:
    descriptor = os.memfd_create("setup")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


class Nursery:
    """One zygote process and the workers that came out of it."""

    def __init__(
        self,
        *,
        forked: Callable[[WorkerChannel], None],
        refused: Callable[[WorkerChannel, str], None],
        lost: Callable[[str], None],
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            forked: called for each worker that has a process now.
            refused: called for each worker that could not be forked, with the reason.
            lost: called once when the zygote has ended although nobody stopped it, with the reason.
        """
        self._forked, self._refused, self._lost = forked, refused, lost
        self._asked: dict[int, WorkerChannel] = {}
        self._by_pid: dict[int, WorkerChannel] = {}
        self._outbox: deque[tuple[int, socket.socket]] = deque()
        self._last_ticket = 0
        self._running = False

    async def start(self, setup: wire.Setup) -> None:
        """Start the zygote and wait until it can fork.

        Raises:
            PluginError: a core module's facade is no good.
            SandboxError: the process did not start.
        """
        self._loop = asyncio.get_running_loop()
        self._hatched: asyncio.Future[str | None] = self._loop.create_future()
        self._launch(wire.pack(setup))
        try:
            async with asyncio.timeout(_START_SECONDS):
                problem = await self._hatched
        except TimeoutError:
            await self.stop()
            raise SandboxError("the sandbox did not start: it was not ready in time") from None
        except BaseException:
            await self.stop()
            raise
        if problem is not None:
            await self.stop()
            raise PluginError(problem)

    # Popen, from the thread of the loop: the zygote dies with the thread that made it.
    def _launch(self, setup: bytes) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        given = _as_file(setup)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", *ZYGOTE, str(theirs.fileno()), str(os.getpid())],
                env=clean_environment(),
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd="/",
            )
        except BaseException:
            self._control.close()
            raise
        finally:
            os.close(given)
            theirs.close()
        self._watch()

    def _watch(self) -> None:
        assert self._process.stderr is not None
        self._stderr = self._process.stderr
        os.set_blocking(self._stderr.fileno(), False)
        self._pidfd = os.pidfd_open(self._process.pid)
        self._running = True
        self._loop.add_reader(self._stderr, self._read_stderr)
        self._loop.add_reader(self._pidfd, self._zygote_ended)
        self._loop.add_reader(self._control, self._read_control)

    @property
    def pid(self) -> int:
        """The zygote's process id."""
        return self._process.pid

    @property
    def workers(self) -> int:
        """Worker processes that live now."""
        return len(self._by_pid)

    def ask(self) -> WorkerChannel:
        """Ask for a worker; its channel is there at once, its process follows.

        Raises:
            OSError: the engine may open no more sockets at present.
        """
        ours, theirs = socket.socketpair()
        channel = WorkerChannel(ours)
        self._last_ticket += 1
        self._asked[self._last_ticket] = channel
        self._outbox.append((self._last_ticket, theirs))
        self._flush()
        return channel

    async def stop(self) -> None:
        """Kill every worker and the zygote, reap them, close all descriptors."""
        if not self._running:
            return
        channels = [*self._asked.values(), *self._by_pid.values()]
        for channel in channels:
            channel.dismiss()
        if channels:
            await asyncio.wait([channel.exited for channel in channels], timeout=_STOP_SECONDS)
        if self._running:
            self._close()

    def _flush(self) -> None:
        while self._outbox:
            ticket, theirs = self._outbox[0]
            try:
                socket.send_fds(self._control, [str(ticket).encode()], [theirs.fileno()])
            except BlockingIOError:
                self._loop.add_writer(self._control, self._flush)
                return
            except OSError:
                # The zygote is gone; its pidfd tells the rest.
                return
            self._outbox.popleft()
            theirs.close()
        self._loop.remove_writer(self._control)

    def _read_control(self) -> None:
        try:
            data, descriptors, _flags, _address = socket.recv_fds(self._control, _MESSAGE_BYTES, 1)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        if not data:
            self._loop.remove_reader(self._control)
            return
        try:
            self._take(wire.unpack(wire.from_zygote, data), descriptors)
        except WireError:
            _log.exception("the zygote sent something unknown")

    def _take(self, message: wire.FromZygote, descriptors: list[int]) -> None:
        if isinstance(message, wire.Forked):
            channel = self._asked.pop(message.ticket)
            self._by_pid[message.pid] = channel
            if not descriptors:
                # Nothing could hold it, so nothing could kill it; without a run it ends when its line does.
                channel.lose("no file descriptor was free to hold it by")
                return
            channel.adopt(message.pid, descriptors[0])
            self._forked(channel)
        elif isinstance(message, wire.NotForked):
            channel = self._asked.pop(message.ticket)
            channel.kill()
            channel.reaped(None)
            self._refused(channel, message.reason)
        elif isinstance(message, wire.Reaped):
            self._by_pid.pop(message.pid).reaped(message)
        elif not self._hatched.done():
            self._hatched.set_result(message.problem)

    def _read_stderr(self) -> None:
        try:
            data = os.read(self._stderr.fileno(), _STDERR_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._stderr)
            return
        _log.error("zygote: %s", data.decode("utf-8", "replace").rstrip())

    def _zygote_ended(self) -> None:
        status = self._process.wait()
        reason = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
        hatching = not self._hatched.done()
        # Whatever it said before the end comes first.
        self._read_control()
        if not hatching:
            self._lost(reason)
        self._close()
        if not self._hatched.done():
            self._hatched.set_exception(SandboxError(f"the sandbox did not start: {reason}"))

    def _close(self) -> None:
        self._running = False
        self._loop.remove_writer(self._control)
        for watched in (self._control, self._pidfd, self._stderr):
            self._loop.remove_reader(watched)
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        self._process.wait()
        os.close(self._pidfd)
        self._control.close()
        self._stderr.close()
        for _ticket, theirs in self._outbox:
            theirs.close()
        self._outbox.clear()
        self._bury()

    # Without the zygote nobody reports the ends of its workers; the kernel has killed them with it.
    def _bury(self) -> None:
        channels = [*self._asked.values(), *self._by_pid.values()]
        self._asked.clear()
        self._by_pid.clear()
        for channel in channels:
            channel.reaped(None)
            channel.lose(None)
