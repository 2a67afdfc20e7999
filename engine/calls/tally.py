"""What the core calls of one run took, in the order in which it made them; also while it goes on."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from engine.legible import legible

#: Lines of one run: calls of one function without another in between are one.
MOST = 100

#: How much of a function's name and of an error is kept; both may be of the run's own making.
MOST_CHARACTERS = 200

#: What the last line is called that stands for all calls beyond MOST lines.
OTHERS = "*"

#: Why a call failed that had no answer when the run ended.
CUT_OFF = "not answered when the run ended"

Line = dict[str, Any]


class Tally:
    """The calls of one run, counted from when it is made.

    Attributes:
        asked: the call that has no answer yet: its name below `core`, and when it was made as
            `time.perf_counter` says.
    """

    def __init__(self) -> None:
        self.asked: tuple[str, float] | None = None
        self._began = perf_counter()
        self._lines: list[Line] = []

    def add(self, function: str, began: float, error: str | None = None) -> None:
        """Take a call that is over.

        Args:
            function: its name below `core`, such as mysql.select.
            began: when it was made, as `time.perf_counter` says.
            error: why it failed; None if it did not.
        """
        self.asked = None
        took = (perf_counter() - began) * 1000
        line = self._lines[-1] if self._lines else None
        if line is None or line["call"] not in (function, OTHERS):
            line = self._new_line(function, began)
        line["count"] += 1
        line["ms"] += took
        line["longest_ms"] = max(line["longest_ms"], took)
        if error is not None:
            line["failed"] += 1
            line["error"] = line["error"] or legible(error)[:MOST_CHARACTERS]

    def _new_line(self, function: str, began: float) -> Line:
        line = self._line(function if len(self._lines) < MOST else OTHERS, began)
        self._lines.append(line)
        return line

    def _line(self, function: str, began: float) -> Line:
        return {
            "call": legible(function)[:MOST_CHARACTERS],
            "at_ms": (began - self._began) * 1000,
            "count": 0,
            "ms": 0.0,
            "longest_ms": 0.0,
            "failed": 0,
            "error": None,
        }

    @property
    def listed(self) -> list[Line] | None:
        """The lines; None without any call.

        Each has `call`, `at_ms` (when the first of its calls was made, counted from the run's start),
        `count`, `ms` (all together), `longest_ms`, `failed` (how many), and `error` (of the first that
        failed, or None).
        """
        return [_rounded(line) for line in self._lines] or None

    @property
    def so_far(self) -> list[Line]:
        """The lines of a run that goes on, as `listed`; a call without an answer yet is the last, `going`."""
        return [_rounded(line) for line in (*self._lines, *self._unanswered())]

    def _unanswered(self) -> tuple[Line, ...]:
        if self.asked is None:
            return ()
        function, began = self.asked
        took = (perf_counter() - began) * 1000
        return (self._line(function, began) | {"count": 1, "ms": took, "longest_ms": took, "going": True},)


def _rounded(line: Line) -> Line:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in line.items()}
