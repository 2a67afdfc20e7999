"""The processes in which sessions are shown, forked from one that has all they need loaded."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from dataclasses import dataclass

import msgspec

from engine.door.screen import Order

#: A process that does not go by itself is killed after so long.
LEAVE_SECONDS = 2.0

#: Nothing of the engine's environment but the time zone in which its machine shows times.
_KEPT = ("TZ",)

#: What is taken for the code of a session whose own was told to nobody.
UNKNOWN = 1


class Showing:
    """The process that shows one session its dashboard."""

    def __init__(self, channel: socket.socket, process: int) -> None:
        """Follow a process.

        Args:
            channel: tells how it ended.
            process: a pidfd of it.
        """
        self._channel = channel
        self._process = process
        self._ended = asyncio.ensure_future(self._follow())

    async def wait(self) -> int:
        """Wait until it has ended, and return its exit code, below 0 for a signal."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """Kill it, if it has not ended."""
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)

    async def leave(self) -> int:
        """Wait until it has gone, after it was told to, and see to it; return its code."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                return await self.wait()
        except TimeoutError:
            self.kill()
        return await self.wait()

    async def _follow(self) -> int:
        try:
            with self._channel:
                code = await asyncio.get_running_loop().sock_recv(self._channel, 16)
            if not code:
                # Whoever could tell is gone; the session itself may go on.
                await _readable(self._process)
            return int(code or UNKNOWN)
        finally:
            os.close(self._process)


@dataclass(frozen=True, slots=True)
class _Parent:
    """The process from which others are forked, and the socket through which they are asked for."""

    process: Process
    control: socket.socket


class Standby:
    """Keeps the process from which those of sessions are forked."""

    def __init__(self) -> None:
        self._parent: _Parent | None = None
        self._lock = asyncio.Lock()
        self._making: asyncio.Task[_Parent] | None = None

    def fill(self) -> None:
        """Have that process ready soon."""
        self._making = asyncio.create_task(self._prepared(), name="screens")

    async def take(self, order: Order, terminal: int) -> Showing:
        """Return a process that shows somebody the dashboard on a terminal.

        Raises:
            OSError: no process can be made.
        """
        own, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        own.setblocking(False)
        try:
            with its:
                socket.send_fds(own, [msgspec.json.encode(order)], [terminal])
                await self._ask_for(its)
            return Showing(own, await _process_of(own))
        except BaseException:
            own.close()
            raise

    async def stop(self) -> None:
        """End the process from which others are forked; those go on until they are told to leave."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait({self._making})
        if self._parent is not None:
            await self._let_go(self._parent)

    async def _ask_for(self, session: socket.socket) -> None:
        try:
            await self._hand(session)
        except OSError:
            # It has ended, and another one is made.
            await self._hand(session)

    async def _hand(self, session: socket.socket) -> None:
        parent = await self._prepared()
        try:
            socket.send_fds(parent.control, [b"."], [session.fileno()])
        except OSError:
            await self._let_go(parent)
            raise

    async def _prepared(self) -> _Parent:
        async with self._lock:
            if self._parent is None:
                self._parent = await _spawn()
            return self._parent

    async def _let_go(self, parent: _Parent) -> None:
        if self._parent is parent:
            self._parent = None
        parent.control.close()
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await parent.process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                parent.process.kill()
            await parent.process.wait()


async def _process_of(channel: socket.socket) -> int:
    """Return the pidfd of the process that was made for a session."""
    await _readable(channel.fileno())
    _, processes, _, _ = socket.recv_fds(channel, 1, 1)
    if not processes:
        raise OSError("no process could be made for the session")
    return processes[0]


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def _spawn() -> _Parent:
    own, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "engine.door.screen", str(its.fileno())),
            stdin=DEVNULL,
            stdout=DEVNULL,
            pass_fds=(its.fileno(),),
            start_new_session=True,
            cwd="/",
            env=_environment(),
        )
    own.setblocking(False)
    return _Parent(process, own)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", **kept}
