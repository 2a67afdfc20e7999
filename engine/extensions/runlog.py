"""The log of one run while it goes on: numbers its lines, keeps its limits, passes them on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.calls.masking import Masking
from engine.calls.tally import Tally
from engine.legible import legible
from engine.run import Limits, LogLine
from engine.times.clock import Clock
from engine.times.quantities import format_size

#: What stands at the end of a line that was longer than its limit.
CUT = " ... (cut)"


class RunLog:
    """Takes what a run writes; each line goes to `keep` once, with its number.

    Attributes:
        tally: what the run's core calls took so far; None where they are answered in another process.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        clock: Clock,
        keep: Callable[[LogLine], None],
        masking: Masking | None = None,
    ) -> None:
        self.masking = masking or Masking()
        self._limits = limits
        self._clock = clock
        self._keep = keep
        self._left = limits.log_bytes
        self._full = False
        self.lines = 0
        self.tally: Tally | None = None

    @property
    def calls(self) -> list[dict[str, Any]] | None:
        """What the run's core calls took so far, ready to be shown; None where that is not known."""
        shown: list[dict[str, Any]] | None = self.masking.data(self.tally.so_far) if self.tally else None
        return shown

    def write(self, level: str, text: str) -> None:
        """Add a line, cut at its limit; once the log is full, one last line says so."""
        if self._full:
            return
        line = cut(self.masking.text(text), self._limits.log_line_bytes)
        self._left -= len(line.encode("utf-8", "replace")) + 1
        if self._left < 0:
            self.end()
        else:
            self._add(level, line)

    def end(self) -> None:
        """Take no more lines: the log has reached its limit, and one last line says so."""
        if not self._full:
            self._full = True
            self._add("warn", f"log cut: more than {format_size(self._limits.log_bytes)}, the limit")

    def _add(self, level: str, line: str) -> None:
        self.lines += 1
        self._keep(LogLine(number=self.lines, at=self._clock.now(), level=level, text=line))


def cut(text: str, limit: int) -> str:
    """Return the text in legible characters and not longer than `limit` bytes of UTF-8."""
    clean = legible(text)
    data = clean.encode("utf-8", "replace")
    if len(data) <= limit:
        return clean
    return data[:limit].decode("utf-8", "ignore") + CUT
