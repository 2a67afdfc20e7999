"""How far something that takes long has come, told on standard error while it goes on."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO, TypeVar

T = TypeVar("T")

#: Seconds between two words on the same thing: on a terminal, where they replace each other, and elsewhere.
ON_TERMINAL_SECONDS = 0.5
ELSEWHERE_SECONDS = 10.0


class Progress:
    """Says what goes on as soon as it begins, and from time to time how far it has come."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Make it; without a stream it tells on standard error."""
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._began = clock()
        self._what = ""
        self._told = -math.inf

    def say(self, what: str, how_far: str = "") -> None:
        """Tell what goes on now, unless that was told a moment ago."""
        now = self._clock()
        on_terminal = self._stream.isatty()
        pause = ON_TERMINAL_SECONDS if on_terminal else ELSEWHERE_SECONDS
        if what == self._what and now - self._told < pause:
            return
        self._what, self._told = what, now
        line = f"{now - self._began:>6.0f} s  {what}{how_far and f': {how_far}'}"
        self._stream.write(f"\r{line}\x1b[K" if on_terminal else f"{line}\n")
        self._stream.flush()

    def through(self, what: str, items: Iterable[T], total: int) -> Iterator[T]:
        """Give each item, and tell how many were done."""
        for done, item in enumerate(items):
            self.say(what, f"{done} of {total} done")
            yield item

    def end(self) -> None:
        """Leave an empty line to what is printed next."""
        if self._what and self._stream.isatty():
            self._stream.write("\r\x1b[K")
            self._stream.flush()
