"""What is looked for in a text, and what takes its place."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

#: A place in a text: from one character up to another.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Search:
    """Words to look for, as they are; without `with_case` capitals do not matter."""

    text: str
    with_case: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        """The words as a regular expression."""
        return re.compile(re.escape(self.text), 0 if self.with_case else re.IGNORECASE)

    def spans(self, text: str) -> list[Span]:
        """Return every place in a text, in order."""
        return [one.span() for one in self.pattern.finditer(text)] if self.text else []

    def fits(self, text: str) -> bool:
        """Return whether a text is just what is looked for."""
        return bool(self.text) and self.pattern.fullmatch(text) is not None

    def replaced(self, text: str, replacement: str) -> str:
        """Return a text with something else in each place."""
        return self.pattern.sub(lambda _: replacement, text) if self.text else text


def next_span(spans: Sequence[Span], place: int) -> Span | None:
    """Return the first place at or behind a character, round the end; None without any."""
    if not spans:
        return None
    return spans[bisect_left(spans, (place, 0)) % len(spans)]


def span_before(spans: Sequence[Span], place: int) -> Span | None:
    """Return the last place that begins before a character, round the start; None without any."""
    if not spans:
        return None
    return spans[bisect_left(spans, (place, 0)) - 1]


def number_at(spans: Sequence[Span], selection: Span) -> int:
    """Return which of the places, from 1 on, is selected; 0 if none is."""
    at = bisect_right(spans, selection)
    return at if at and spans[at - 1] == selection else 0
