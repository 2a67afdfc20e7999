"""A command in tmux, for tests: what stands on its screen is read as a person would read it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.e2e.processes import until
from tests.programs import needs

#: What would tell the command that it runs elsewhere, or in another size, or what a person once chose.
_DROPPED = ("TMUX", "COLUMNS", "LINES", "HOME", "XDG_STATE_HOME", "NO_COLOR", "TERM")

_SHELL = ("sh", "-c", '"$@"; echo "ended with $?"; exec cat', "sh")

#: A screen that is not there by then never comes, also on a busy machine.
READ_SECONDS = 120.0


class Tmux:
    """A tmux of its own, with a shell that carries out one command, on a screen of 100 columns and 30 lines.

    When the command has ended the shell writes `ended with` its exit code, and stays.
    """

    def __init__(self, folder: Path, *command: str) -> None:
        self._program, self._socket = needs("tmux", "tmux"), folder / "tmux"
        settings = folder / "tmux.conf"
        settings.write_text("set -g default-terminal tmux-256color\nset -s set-clipboard on\n")
        kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
        self._environment = kept | {"LANG": "C.UTF-8", "HOME": str(folder)}
        self._tmux("-f", str(settings), "new-session", "-d", "-x", "100", "-y", "30", *_SHELL, *command)

    def _tmux(self, *words: str) -> str:
        command = [self._program, "-u", "-S", str(self._socket), *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, timeout=60, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys by the names that tmux gives them, such as `Enter` and `C-s`."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", text)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen."""
        return self._tmux("capture-pane", "-p").splitlines()

    def reads(self, *words: str) -> None:
        """Wait until the screen shows all of these."""
        self._wait(words, lambda: all(word in "\n".join(self.lines) for word in words))

    def reads_in_a_line(self, *words: str) -> None:
        """Wait until one line of the screen shows all of these."""
        self._wait(words, lambda: any(all(word in line for word in words) for line in self.lines))

    def _wait(self, words: tuple[str, ...], condition: Callable[[], object]) -> None:
        try:
            until(condition, READ_SECONDS)
        except AssertionError as late:
            screen = "\n".join(self.lines)
            raise AssertionError(f"{words} not on the screen:\n{screen}") from late

    @property
    def clipboard(self) -> str:
        """What was copied last."""
        return self._tmux("save-buffer", "-") if self._tmux("list-buffers") else ""

    def left_behind(self) -> dict[str, str]:
        """Return how the terminal is left: on which screen, with a cursor, telling of the mouse."""
        names = ("alternate_on", "cursor_flag", "mouse_any_flag", "mouse_sgr_flag")
        return dict(zip(names, self._of_pane(*names).split(), strict=True))

    def _of_pane(self, *names: str) -> str:
        return self._tmux("display-message", "-p", " ".join(f"#{{{name}}}" for name in names)).strip()

    def close(self) -> None:
        """End it, and what runs in it."""
        self._tmux("kill-server")
