"""One session: a channel of SSH at one end, a dashboard on a terminal of its own at the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from engine.api.callers import Caller, Callers, Way
from engine.door.guests import Guests
from engine.door.keys import Key
from engine.door.screen import Order
from engine.door.standby import LEAVE_SECONDS, Showing, Standby
from engine.door.terminal import RESET_TERMINAL, Terminal, can_draw, described
from engine.errors import MoontideError

logger = logging.getLogger("moontide.ssh")

NO_COMMANDS = "this door opens the dashboard only: no commands, no files, no forwarding"
NO_TERMINAL = "the dashboard needs a terminal that it can draw on: log in with `ssh -t`, and TERM not dumb"

#: Exit codes (sysexits.h): wrong usage, cannot be done, try again later.
USAGE, UNAVAILABLE, TRY_LATER = 64, 69, 75


@dataclass(frozen=True, slots=True)
class House:
    """What lies behind the door.

    Attributes:
        socket: the path of the engine's socket.
        memories: the folder in which the dashboards remember filter, sort and theme, a file for each key.
        note: puts an action down in the audit trail, with who did it.
    """

    socket: str
    memories: Path
    callers: Callers
    guests: Guests
    standby: Standby
    note: Callable[[str, str], Awaitable[None]]


class Session(asyncssh.SSHServerSession[bytes]):
    """Somebody's dashboard, from login to leaving."""

    def __init__(self, house: House, key: Key, origin: str) -> None:
        """Prepare a session.

        Args:
            key: what opened the door.
            origin: the address that it came from.
        """
        self.key = key
        self.idle_since = time.monotonic()
        self._house = house
        self._origin = origin
        self._chan: asyncssh.SSHServerChannel[bytes]
        self._term = ""
        self._size = (80, 24)
        self._refused = ""
        self._reason = ""
        self._full: set[str] = set()
        self._terminal: Terminal | None = None
        self._shown: asyncio.Task[None] | None = None
        self._resuming: asyncio.Task[None] | None = None

    # What the client asks for

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Take the channel."""
        self._chan = chan

    def pty_requested(
        self, term_type: str, term_size: tuple[int, int, int, int], term_modes: Mapping[int, int]
    ) -> bool:
        """Take what the client says of its terminal."""
        if can_draw(term_type):
            self._term, self._size = term_type, term_size[:2]
        return bool(self._term)

    def shell_requested(self) -> bool:
        """Say yes: there is no shell, but this is how a client asks for what is behind the door."""
        return True

    def exec_requested(self, command: str) -> bool:
        """Say yes, to be able to answer in words that there are no commands."""
        self._refused = NO_COMMANDS
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """Refuse SFTP and the like."""
        return False

    def session_started(self) -> None:
        """Let them in, or say why not."""
        if self._refused or not self._term:
            self._refuse(self._refused or NO_TERMINAL, USAGE)
        elif full := self._house.guests.why_full(self.key):
            self._refuse(full, TRY_LATER)
        else:
            self._enter()

    def _refuse(self, why: str, code: int) -> None:
        self._chan.write_stderr(f"moontide: {why}\r\n".encode())
        self._chan.exit(code)

    # What goes between the two

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Type what the client typed."""
        self.idle_since = time.monotonic()
        if (terminal := self._terminal) is None:
            return
        terminal.type(data)
        if not terminal.takes.is_set() and self._resuming is None:
            self._chan.pause_reading()
            self._resuming = asyncio.create_task(self._resume(terminal))

    async def _resume(self, terminal: Terminal) -> None:
        await terminal.takes.wait()
        self._resuming = None
        self._chan.resume_reading()

    def eof_received(self) -> bool:
        """Stay: who types no more may still look."""
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Let the dashboard have the new size."""
        if self._terminal is not None:
            self._terminal.resize(width, height)

    def pause_writing(self) -> None:
        """Draw no more: the channel is full."""
        self.hold("channel")

    def resume_writing(self) -> None:
        """Draw on."""
        self.release("channel")

    def hold(self, what: str) -> None:
        """Let the dashboard wait while something on the way to the client is full."""
        self._full.add(what)
        if self._terminal is not None:
            self._terminal.pause()

    def release(self, what: str) -> None:
        """Take that back."""
        self._full.discard(what)
        if self._terminal is not None and not self._full:
            self._terminal.read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hang up: nobody is there any more."""
        if self._terminal is not None:
            self._terminal.close()

    # The visit

    def end(self, reason: str) -> None:
        """Let the dashboard go, and tell the person why."""
        self._reason = self._reason or reason
        if self._terminal is not None:
            self._terminal.close()

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left."""
        return self._shown is not None and self._shown.done()

    async def left(self) -> None:
        """Return once nothing of it is left."""
        if self._shown is not None:
            await asyncio.wait({self._shown})

    def _enter(self) -> None:
        inside = ExitStack()
        inside.enter_context(self._house.guests.entered(self))
        self._terminal = Terminal(on_data=self._draw)
        self._terminal.resize(*self._size)
        self._shown = asyncio.create_task(self._visit(inside, self._terminal), name=f"ssh {self.key.name}")

    async def _visit(self, inside: ExitStack, terminal: Terminal) -> None:
        with inside:
            caller = Caller(self.key.role, Way.SSH, self.key.name)
            token = self._house.callers.issue(caller)
            inside.callback(self._house.callers.revoke, token)
            inside.callback(terminal.close)
            noted = asyncio.gather(self._note("log in"), return_exceptions=True)
            try:
                code = await self._show(terminal, token)
            except OSError as error:
                logger.error("ssh: no dashboard for %s: %s", self.key.name, error)
                self._reason, code = "the dashboard cannot be started; the engine's log says why", UNAVAILABLE
            self._say_goodbye(code)
            await noted
            await self._note("log out")

    async def _show(self, terminal: Terminal, token: str) -> int:
        environment = described(self._term, self._chan.get_environment())
        memory = self._house.memories / f"{self.key.digest}.json"
        order = Order(self._house.socket, token, environment, str(memory))
        showing = await self._house.standby.take(order, terminal.inner)
        try:
            terminal.release_inner()
            if not self._full:
                terminal.read_on()
            return await self._until_over(showing, terminal)
        finally:
            terminal.close()
            await showing.leave()

    async def _until_over(self, showing: Showing, terminal: Terminal) -> int:
        """Wait until the dashboard ends or somebody hangs up; return its code."""
        over = asyncio.ensure_future(showing.wait())
        hung_up = asyncio.ensure_future(terminal.ended.wait())
        await asyncio.wait({over, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        if over.done():
            # What it drew last is still on its way.
            await asyncio.wait({hung_up}, timeout=LEAVE_SECONDS)
        hung_up.cancel()
        terminal.close()
        over.cancel()
        return await showing.leave()

    def _draw(self, data: bytes) -> None:
        if not self._chan.is_closing():
            self._chan.write(data)

    def _say_goodbye(self, code: int) -> None:
        """Put the client's terminal back in order where the dashboard may not have, and leave."""
        if self._chan.is_closing():
            return
        reason = self._reason
        if code and not reason:
            how = f"signal {-code}" if code < 0 else f"code {code}"
            reason = f"the dashboard ended by itself ({how}); the engine goes on, log in again"
        words = f"moontide: {reason}\r\n" if reason else ""
        self._chan.write(f"{RESET_TERMINAL}{words}".encode())
        self._chan.exit(0 if not reason else code if code > 0 else UNAVAILABLE)

    async def _note(self, action: str) -> None:
        logger.info("ssh: %s of %s (%s) from %s", action, self.key.name, self.key.role, self._origin)
        with contextlib.suppress(MoontideError):
            await self._house.note(f"{action} from {self._origin}", f"{self.key.name} via {Way.SSH}")
