"""A person's own editor, $VISUAL or $EDITOR: only where the dashboard is a process of theirs.

Through the front door or a browser, an editor would be a way to a shell of the engine's machine.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ELSEWHERE = "your own editor opens only where the dashboard is a process of yours; press e instead"
UNSET = "set $VISUAL or $EDITOR to the command of your editor, or press e instead"


@dataclass(frozen=True, slots=True)
class OwnEditor:
    """The command that opens a file, or why there is none."""

    command: tuple[str, ...] = ()
    why_not: str = ELSEWHERE


def own_editor(environment: Mapping[str, str], place: Path | str, token: str | None) -> OwnEditor:
    """Return the editor that may be opened here.

    Args:
        place: where the engine is; somebody else's machine if it is a URL.
        token: what opened it, as it does for those who come through the front door.
    """
    if isinstance(place, str) or token is not None or environment.get("TEXTUAL_DRIVER"):
        return OwnEditor()
    command = shlex.split(environment.get("VISUAL") or environment.get("EDITOR") or "")
    return OwnEditor(tuple(command), "") if command else OwnEditor(why_not=UNSET)


class Copy:
    """A text in a file of its own, which stays where it is until it is thrown away."""

    def __init__(self, job: str, text: str) -> None:
        """Write the text into a folder that only this user can open."""
        self._folder = Path(tempfile.mkdtemp(prefix="moontide-"))
        self.path = self._folder / f"{job.rpartition('/')[2]}.lua"
        self.path.write_text(text, "utf-8", newline="")

    def text(self) -> str:
        """Return the text as the file has it now.

        Raises:
            OSError, UnicodeDecodeError: it cannot be read.
        """
        return self.path.read_bytes().decode("utf-8")

    def throw_away(self) -> None:
        """Remove the file."""
        shutil.rmtree(self._folder, ignore_errors=True)


def run_editor(command: tuple[str, ...], path: Path) -> str:
    """Let the editor have the terminal until it ends, however it ends; return what went wrong, or nothing."""
    with _terminal_kept(), _interrupts_left_alone():
        try:
            code = subprocess.run([*command, str(path)]).returncode
        except OSError as error:
            return f"{command[0]} cannot be started: {error.strerror}"
    return f"{command[0]} ended with {code}" if code else ""


@contextmanager
def _terminal_kept() -> Iterator[None]:
    """Put the terminal's own settings back: an editor that is killed leaves it raw."""
    number = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
    settings = termios.tcgetattr(number)
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSANOW, settings)


@contextmanager
def _interrupts_left_alone() -> Iterator[None]:
    """Let Ctrl-C reach the editor alone; were it ignored here, the editor would ignore it too."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
