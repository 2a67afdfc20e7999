"""The colours and widths of a text's lines, brought up to date by what changed and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from rich.cells import cell_len

from tui.lua.tokens import Open, Token, tokens


class Lexed(msgspec.Struct, frozen=True, gc=False):
    """One line: what it holds, what was open before and behind it, and its width in columns."""

    line: str
    before: Open | None
    tokens: tuple[Token, ...]
    behind: Open | None
    width: int


class LexedText:
    """All lines of a text. Textual asks it for the colours of a line as it would a mapping by rows."""

    def __init__(self, tab_width: int) -> None:
        self._tab_width = tab_width
        self._lines: list[str] = []
        self._entries: list[Lexed] = []

    def update(self, lines: Sequence[str]) -> None:
        """Take the text as it is now; what stands above and below a change stays as it was."""
        now = list(lines)
        top = _same_at_start(self._lines, now)
        below = _same_at_start(self._lines[top:][::-1], now[top:][::-1])
        fresh = self._lex(now, top, len(now) - below)
        self._entries[top : len(self._entries) - below] = fresh
        self._lines = now
        self._carry_on(top + len(fresh))

    def _lex(self, lines: Sequence[str], start: int, end: int) -> list[Lexed]:
        still_open = self._entries[start - 1].behind if start else None
        found: list[Lexed] = []
        for line in lines[start:end]:
            found.append(self._entry(line, still_open))
            still_open = found[-1].behind
        return found

    def _carry_on(self, row: int) -> None:
        """Look at further lines as long as another thing is open before them than was."""
        while row < len(self._entries):
            still_open = self._entries[row - 1].behind if row else None
            if self._entries[row].before == still_open:
                return
            self._entries[row] = self._entry(self._entries[row].line, still_open)
            row += 1

    def _entry(self, line: str, still_open: Open | None) -> Lexed:
        found, behind = tokens(line, still_open)
        return Lexed(line, still_open, tuple(found), behind, self._width_of(line))

    def _width_of(self, line: str) -> int:
        if line.isascii() and "\t" not in line:
            return len(line)
        return cell_len(line.expandtabs(self._tab_width))

    @property
    def width(self) -> int:
        """The width of the longest line, in columns."""
        return max((entry.width for entry in self._entries), default=0)

    def drawn_as(self, row: int) -> tuple[str, Open | None]:
        """Return what the look of a line depends on: its text, and what was open before it."""
        entry = self._entries[row]
        return entry.line, entry.before

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, row: int) -> list[tuple[int, int | None, str]]:
        """Return the colours of a line as Textual counts them: from and to which byte, and the kind."""
        if row >= len(self._entries):
            return []
        entry = self._entries[row]
        return [_highlight(entry.line, token) for token in entry.tokens]

    def spans_of(self, row: int, find: Callable[[str], Iterable[tuple[int, int]]]) -> list[tuple[int, int]]:
        """Return where something is found in a line, from and to which byte."""
        if row >= len(self._entries):
            return []
        line = self._entries[row].line
        return [(_bytes_before(line, start), _bytes_before(line, end)) for start, end in find(line)]


def _bytes_before(line: str, place: int) -> int:
    return place if line.isascii() else len(line[:place].encode())


def _same_at_start(some: Sequence[str], others: Sequence[str]) -> int:
    """Return how many lines are the same from the first on; slices are compared much faster than lines."""
    low, high = 0, min(len(some), len(others))
    while low < high:
        middle = (low + high + 1) // 2
        if some[low:middle] == others[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _highlight(line: str, token: Token) -> tuple[int, int | None, str]:
    return _bytes_before(line, token.start), _bytes_before(line, token.end), token.kind
