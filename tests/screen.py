"""A command in GNU screen, for tests: what stands on its screen is read as a person would read it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from tests.drawn import SHELL, Drawn, environment
from tests.e2e.processes import until
from tests.programs import needs

#: What a terminal sends for keys.
KEYS: Final = {
    "Enter": "\r",
    "Escape": "\x1b",
    "BSpace": "\x7f",
    "DC": "\x1b[3~",
    "C-c": "\x03",
    "C-g": "\x07",
    "C-r": "\x12",
    "C-s": "\x13",
}

NAME: Final = "moontide"


class GnuScreen(Drawn):
    """A screen of its own, as it comes: TERM is `screen`, with 80 columns and 24 lines.

    When the command has ended the shell writes `ended with` its exit code, and stays.
    """

    def __init__(self, folder: Path, *command: str) -> None:
        self._program, self._copy = needs("screen", "screen"), folder / "hardcopy"
        settings, sockets = folder / "screenrc", folder / "sockets"
        settings.write_text("startup_message off\ndefutf8 on\naltscreen on\nterm screen\n")
        sockets.mkdir(mode=0o700)
        self._environment = environment(folder) | {"SCREENDIR": str(sockets), "TERM": "vt100"}
        self._screen("-U", "-c", str(settings), "-d", "-m", *SHELL, *command)
        until(lambda: any(sockets.iterdir()), 60)

    def _screen(self, *words: str) -> None:
        done = subprocess.run(
            [self._program, "-S", NAME, *words],
            env=self._environment,
            capture_output=True,
            timeout=60,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _tell(self, *words: str) -> None:
        self._screen("-p", "0", "-X", *words)

    def press(self, *keys: str) -> None:
        """Press keys by the names that tmux gives them."""
        self.type("".join(KEYS[key] for key in keys))

    def type(self, text: str) -> None:
        """Type a text."""
        # Each byte by its number: some signs have a meaning for `stuff`.
        self._tell("stuff", "".join(f"\\{byte:03o}" for byte in text.encode()))

    @property
    def lines(self) -> list[str]:
        """What stands on the screen; of each sign no more than `hardcopy` keeps of it."""
        self._copy.unlink(missing_ok=True)
        self._tell("hardcopy", str(self._copy))
        until(self._copy.exists, 60)
        return self._copy.read_bytes().decode("latin-1").split("\n")

    def shown(self, word: str) -> str:
        """Return a word as `lines` has it: `hardcopy` keeps the lower byte of each sign."""
        return "".join(chr(ord(sign) & 0xFF) for sign in word)

    def close(self) -> None:
        """End it, and what runs in it."""
        self._screen("-X", "quit")
