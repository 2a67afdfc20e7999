"""What a run finds wrong and tells without ending: `job.warn` and `job.err`."""

from __future__ import annotations

from engine.legible import legible

#: Problems that are listed with one run; the log has further ones too.
MOST = 100

#: How much of a text is listed.
MOST_CHARACTERS = 4000

WARNING = "warn"
ERROR = "error"

Problem = dict[str, str]


class Problems:
    """The problems of one run, in the order in which they were told."""

    def __init__(self) -> None:
        self._listed: list[Problem] = []
        self._first_error: str | None = None
        self._errors = 0

    def add(self, level: str, code: str, text: str) -> bool:
        """Take a problem; return whether it is listed, or one too many for that.

        Args:
            level: WARNING, or ERROR for one that makes the run's final status ERROR.
        """
        code, text = legible(code), legible(text)
        if level == ERROR:
            self._errors += 1
            self._first_error = self._first_error or _in_words(code, text)
        if len(self._listed) >= MOST:
            return False
        self._listed.append({"level": level, "code": code, "text": text[:MOST_CHARACTERS]})
        return True

    @property
    def listed(self) -> list[Problem] | None:
        """The problems, each with level, code and text; None without any."""
        return self._listed or None

    @property
    def error(self) -> str | None:
        """Why the run failed though its code ran on; None if no error was told."""
        if self._first_error is None:
            return None
        more = f" (and {self._errors - 1} more)" if self._errors > 1 else ""
        return f"job.err: {self._first_error}{more}"


def _in_words(code: str, text: str) -> str:
    return f"{code}: {text}" if text else code
