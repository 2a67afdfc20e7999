"""A command in tmux, for tests: what stands on its screen is read as a person would read it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.drawn import SHELL, Drawn, environment
from tests.programs import needs


class Tmux(Drawn):
    """A tmux of its own, with a shell that carries out one command, on a screen of 100 columns and 30 lines.

    When the command has ended the shell writes `ended with` its exit code, and stays.
    """

    def __init__(self, folder: Path, *command: str) -> None:
        self._program, self._socket = needs("tmux", "tmux"), folder / "tmux"
        settings = folder / "tmux.conf"
        settings.write_text("set -g default-terminal tmux-256color\nset -s set-clipboard on\n")
        self._environment = environment(folder)
        self._tmux("-f", str(settings), "new-session", "-d", "-x", "100", "-y", "30", *SHELL, *command)

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
