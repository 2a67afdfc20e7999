"""A real terminal with a command on it, for tests."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Callable

from tests.e2e.processes import until

#: What would change the size, or make one test remember what another one chose.
_DROPPED = ("COLUMNS", "LINES", "HOME", "XDG_STATE_HOME")

_CONTROL = re.compile(rb"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|[^[])")

#: So many bytes of what was drawn last are told when something is missing.
DRAWN_SHOWN = 20_000


class Terminal:
    """A command on a terminal of its own, of 80 columns and 24 lines."""

    def __init__(self, *command: str, ignores_hangup: bool = False, **environment: str) -> None:
        self.seen = b""
        self.master, slave = pty.openpty()
        self.resize(80, 24)

        def in_child() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if ignores_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)

        kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=in_child,
            env=kept | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | environment,
        )
        os.close(slave)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def send(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def reads(self, *words: str, seconds: float = 60) -> None:
        """Read on until all of these were drawn."""
        try:
            self.wait(lambda: all(word.encode() in self.seen for word in words), seconds)
        except AssertionError as late:
            drawn = _CONTROL.sub(b"", self.seen)[-DRAWN_SHOWN:].decode(errors="replace")
            raise AssertionError(f"{late}: {words} were not drawn, but\n{drawn}") from late

    def wait(self, condition: Callable[[], object], seconds: float = 60) -> None:
        def look() -> object:
            while select.select([self.master], [], [], 0)[0] and (data := self._read()):
                self.seen += data
            return condition()

        until(look, seconds)

    def _read(self) -> bytes:
        try:
            return os.read(self.master, 65536)
        except OSError:
            return b""

    def ended(self) -> int:
        self.wait(lambda: self.process.poll() is not None)
        return self.process.returncode

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)
        if self.master >= 0:
            os.close(self.master)
