"""A pseudo-terminal as the front door holds it: the side on which somebody types and reads."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Callable, Mapping

#: Ends kitty's keys, leaves the alternate screen, shows the cursor, and ends the modes of mouse, focus,
#: paste, resize reports and colours (xterm's ctlseqs).
RESET_TERMINAL = (
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[?7h\x1b[0m\r"
)

CHUNK_BYTES = 32 * 1024
#: What was typed and not taken yet; more of it makes the client wait.
TYPED_BYTES = 64 * 1024

#: What a client may say of its terminal. COLUMNS and LINES are not among it: they would hide each resize.
TOLD = ("LANG", "LC_ALL", "LC_CTYPE", "COLORTERM", "NO_COLOR")
_PLAIN = re.compile(r"[A-Za-z0-9_.@+-]{1,64}", re.ASCII)


def can_draw(term: str | None) -> bool:
    """Return whether a dashboard can be drawn on a terminal of this type."""
    return bool(term and term != "dumb" and _PLAIN.fullmatch(term))


def described(term: str, sent: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that describe a client's terminal, of those that it sent."""
    told = {name: sent[name] for name in TOLD if _PLAIN.fullmatch(sent.get(name, ""))}
    return {"LANG": "C.UTF-8", **told, "TERM": term}


class Terminal:
    """Reads and writes on the event loop, and stops both where the other end does not keep up."""

    def __init__(self, *, on_data: Callable[[bytes], object]) -> None:
        """Open a pseudo-terminal.

        Args:
            on_data: given what was drawn.
        """
        self._loop = asyncio.get_running_loop()
        self._on_data = on_data
        self._master, self.inner = pty.openpty()
        os.set_blocking(self._master, False)
        _echo_nothing(self.inner)
        self._typed = bytearray()
        self._reading = False
        self.ended = asyncio.Event()
        self.takes = asyncio.Event()
        self.takes.set()

    def resize(self, columns: int, lines: int) -> None:
        """Tell who draws of another size; a size that no terminal has is taken for the usual one."""
        size = struct.pack("HHHH", _within(lines, 24), _within(columns, 80), 0, 0)
        if self._master >= 0:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def release_inner(self) -> None:
        """Let go of the side on which is drawn, once somebody has it."""
        if self.inner >= 0:
            os.close(self.inner)
            self.inner = -1

    def read_on(self) -> None:
        """Take what is drawn."""
        if self._master >= 0 and not self._reading and not self.ended.is_set():
            self._reading = True
            self._loop.add_reader(self._master, self._read)

    def pause(self) -> None:
        """Take nothing for now: who draws then waits, and nothing is kept."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._master)

    def _read(self) -> None:
        try:
            data = os.read(self._master, CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            # EIO: nobody has the other side any more.
            data = b""
        if data:
            self._on_data(data)
        else:
            self.pause()
            self.ended.set()

    def type(self, data: bytes) -> None:
        """Give what was typed to who reads it; `takes` is clear while too much waits."""
        if self._master < 0:
            return
        if not self._typed:
            self._loop.add_writer(self._master, self._write)
        self._typed += data
        if len(self._typed) > TYPED_BYTES:
            self.takes.clear()

    def _write(self) -> None:
        try:
            del self._typed[: os.write(self._master, self._typed[:4096])]
        except BlockingIOError:
            return
        except OSError:
            self._typed.clear()
        if len(self._typed) <= TYPED_BYTES:
            self.takes.set()
        if not self._typed:
            self._loop.remove_writer(self._master)

    def close(self) -> None:
        """Hang up: whoever has the other side as its terminal gets SIGHUP."""
        self.release_inner()
        if self._master >= 0:
            self.pause()
            self._loop.remove_writer(self._master)
            os.close(self._master)
            self._master = -1
        self.ended.set()
        self.takes.set()


def _echo_nothing(terminal: int) -> None:
    """Keep what is typed before the dashboard draws off the screen."""
    modes = termios.tcgetattr(terminal)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)


def _within(count: int, usual: int) -> int:
    return count if 0 < count <= 1000 else usual
