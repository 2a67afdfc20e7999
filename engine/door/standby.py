"""The processes in which sessions are shown: one waits, with all it needs loaded, for the next to log in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process

import msgspec

from engine.door.screen import Order

#: The next one is made when the one before has had time to draw.
PAUSE_SECONDS = 2.0
#: A process that does not go by itself is killed after so long.
LEAVE_SECONDS = 2.0

#: Nothing of the engine's environment but the time zone in which its machine shows times.
_KEPT = ("TZ",)


class Standby:
    """Makes processes, and keeps one waiting."""

    def __init__(self) -> None:
        self._next: tuple[Process, socket.socket] | None = None
        self._refill: asyncio.Task[None] | None = None
        self._closed = False

    def fill(self, after_seconds: float = 0.0) -> None:
        """Have a process waiting soon."""
        if not self._closed and (self._refill is None or self._refill.done()):
            self._refill = asyncio.create_task(self._fill(after_seconds), name="next session")

    async def take(self, order: Order, terminal: int) -> Process:
        """Return a process that shows somebody the dashboard on a terminal.

        Raises:
            OSError: no process can be made.
        """
        waiting, self._next = self._next, None
        if waiting is None or not _hand(waiting, order, terminal):
            waiting = await _spawn()
            if not _hand(waiting, order, terminal):
                raise OSError("the session's process ended before it began")
        self.fill(PAUSE_SECONDS)
        return waiting[0]

    async def stop(self) -> None:
        """End the process that waits."""
        self._closed = True
        if self._refill is not None:
            self._refill.cancel()
            await asyncio.wait({self._refill})
        if self._next is not None:
            process, channel = self._next
            channel.close()
            await ended(process)

    async def _fill(self, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        if self._next is None:
            self._next = await _spawn()


async def ended(process: Process) -> int:
    """Wait until a process that was told to go has gone, and see to it; return its code."""
    try:
        async with asyncio.timeout(LEAVE_SECONDS):
            return await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


async def _spawn() -> tuple[Process, socket.socket]:
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
    return process, own


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", **kept}


def _hand(waiting: tuple[Process, socket.socket], order: Order, terminal: int) -> bool:
    """Give a process its order and its terminal; return False if it is gone."""
    _, channel = waiting
    with channel:
        try:
            socket.send_fds(channel, [msgspec.json.encode(order)], [terminal])
        except OSError:
            return False
    return True
