"""The dashboard as a child process beside the engine of `moontide up`, on the same terminal."""

from __future__ import annotations

import asyncio
import logging
import sys
import termios
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.door.terminal import RESET_TERMINAL

#: Messages of the engine that are kept while the dashboard has the terminal.
MESSAGES_KEPT = 200

#: -P keeps the current folder out of sys.path: it is the user's, and may hold a file of any name.
COMMAND = (
    *(sys.executable, "-P", "-c"),
    "import sys, pathlib; from engine.cli.showing import show_beside_engine; "
    "sys.exit(show_beside_engine(pathlib.Path(sys.argv[1])))",
)


class DashboardProcess:
    """The dashboard as a child process on this terminal, for as long as the engine works."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._messages: deque[str] = deque(maxlen=MESSAGES_KEPT)

    def log_handler(self) -> logging.Handler:
        """Return a handler that keeps messages, for after the dashboard."""
        return _IntoMessages(self._messages)

    async def show(self, stopped: asyncio.Event) -> None:
        """Show the dashboard until the person leaves it or `stopped` is set."""
        with _terminal_kept():
            child = await asyncio.create_subprocess_exec(*COMMAND, str(self._home))
            ended = asyncio.ensure_future(child.wait())
            signalled = asyncio.ensure_future(stopped.wait())
            await asyncio.wait({ended, signalled}, return_when=asyncio.FIRST_COMPLETED)
            signalled.cancel()
            if not ended.done():
                with suppress(ProcessLookupError):
                    child.terminate()
            await ended
        self._tell()

    def _tell(self) -> None:
        with suppress(OSError):
            for message in self._messages:
                print(message, file=sys.stderr)
            print("stopping; Ctrl-C stops at once", flush=True)


@contextmanager
def _terminal_kept() -> Iterator[None]:
    """Put the terminal back in order afterwards, however the process that draws on it ended."""
    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        # The terminal may be gone.
        with suppress(termios.error, OSError):
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
            sys.stdout.write(RESET_TERMINAL)
            sys.stdout.flush()


class _IntoMessages(logging.Handler):
    def __init__(self, messages: deque[str]) -> None:
        super().__init__()
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append(self.format(record))
