"""What stands on the screen of a command in a terminal multiplexer, read as a person would read it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.e2e.processes import until

#: What would tell the command that it runs elsewhere, or in another size, or what a person once chose.
_DROPPED = ("TMUX", "STY", "COLUMNS", "LINES", "HOME", "XDG_STATE_HOME", "NO_COLOR", "TERM")

#: Carries out the command that follows, writes how it ended, and stays.
SHELL: Final = ("sh", "-c", '"$@"; echo "ended with $?"; exec cat', "sh")

#: A screen that is not there by then never comes, also on a busy machine.
READ_SECONDS = 120.0


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of somebody whose home is this folder."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return kept | {"LANG": "C.UTF-8", "HOME": str(folder)}


class Drawn(ABC):
    """A screen that tests read and type on."""

    @property
    @abstractmethod
    def lines(self) -> list[str]:
        """What stands on the screen."""

    @abstractmethod
    def press(self, *keys: str) -> None:
        """Press keys by the names that tmux gives them, such as `Enter` and `C-s`."""

    @abstractmethod
    def type(self, text: str) -> None:
        """Type a text."""

    def shown(self, word: str) -> str:
        """Return a word as `lines` has it."""
        return word

    def reads(self, *words: str) -> None:
        """Wait until the screen shows all of these."""
        self._wait(words, lambda: self._all_in("\n".join(self.lines), words))

    def reads_in_a_line(self, *words: str) -> None:
        """Wait until one line of the screen shows all of these."""
        self._wait(words, lambda: any(self._all_in(line, words) for line in self.lines))

    def _all_in(self, text: str, words: tuple[str, ...]) -> bool:
        return all(self.shown(word) in text for word in words)

    def _wait(self, words: tuple[str, ...], condition: Callable[[], object]) -> None:
        try:
            until(condition, READ_SECONDS)
        except AssertionError as late:
            screen = "\n".join(self.lines)
            raise AssertionError(f"{words} not on the screen:\n{screen}") from late
