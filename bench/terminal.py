"""A command on a terminal of its own: what it draws, when, and how many bytes that takes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

#: Nothing that is measured takes so long; a screen that is not drawn by then never is.
DRAWN_SECONDS = 120.0


class Terminal:
    """What is seen and typed on a terminal.

    Attributes:
        process: the command that draws on it.
        began: when that was started, by `time.perf_counter`.
    """

    def __init__(self, master: int, process: subprocess.Popen[bytes], began: float) -> None:
        self.process = process
        self.began = began
        self._master = master

    def press(self, keys: str) -> None:
        """Type these keys."""
        os.write(self._master, keys.encode())

    def seconds_until(self, pattern: bytes, since: float) -> float:
        """Return the seconds from `since` (of `time.perf_counter`) until something that fits is drawn."""
        wanted, seen, deadline = re.compile(pattern), b"", time.monotonic() + DRAWN_SECONDS
        while not wanted.search(seen):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{pattern!r} was not drawn; last was {seen[-300:]!r}")
            seen += self._read(deadline - time.monotonic())
        return time.perf_counter() - since

    def bytes_within(self, seconds: float) -> int:
        """Return how many bytes are drawn in so many seconds."""
        count, end = 0, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            count += len(self._read(left))
        return count

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._master], [], [], max(0.0, seconds))[0]:
            return b""
        return os.read(self._master, 65536)


@contextmanager
def on_terminal(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, size: tuple[int, int] = (80, 24)
) -> Iterator[Terminal]:
    """Start a command on a terminal of 256 colours, and end it in the end.

    Args:
        environment: what the command finds beside PATH and TERM.
        size: columns and lines.
    """
    master, slave = pty.openpty()
    columns, lines = size
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        | dict(environment or {}),
    )
    os.close(slave)
    try:
        yield Terminal(master, process, began)
    finally:
        process.kill()
        process.wait()
        os.close(master)
