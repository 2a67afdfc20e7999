"""Where a cursor stands in Lua code that is being written: which name it completes, in which call and table.

Half-typed code is the rule here, so nothing is parsed: brackets and blocks are counted from some lines above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tui.lua.tokens import KEYWORDS, Open, tokens

#: So many lines above the cursor are looked at, for the calls and tables around it.
LINES_LOOKED_AT = 200

#: What stands in a chain of names for the value of a call.
CALLED = "()"

#: Stands in the place of each character of a string, so that no bracket in it counts.
_FILLER = "\N{MIDDLE DOT}"

_TOKEN = re.compile(rf"(?P<name>[A-Za-z_]\w*)|(?P<string>{_FILLER}+)|(?P<sign>\.\.+|==|[^\s\w])|\d\S*")
_WORD = re.compile(r"(?<!\w)[A-Za-z_]\w*$")
_CLOSED = re.compile(r"""(?P<quote>["'])(?:\\.|(?!(?P=quote))[^\\])*(?P=quote)""")
_BLOCKS = frozenset(("function", "if", "do", "repeat"))
_BLOCK_ENDS = frozenset(("end", "until"))
_CLOSING = {"(": ")", "{": "}", "[": "]"}

#: Names with the signs between them left out: `core.data("toys"):get` is core, data, (), get.
Chain = tuple[str, ...]


@dataclass(slots=True)
class Frame:
    """A bracket or block that is open at the cursor.

    Attributes:
        opener: the bracket, or the keyword of a block.
        chain: what stands before a bracket.
        index: how many commas are between it and the cursor.
        key: the field whose value is being written, in a table.
    """

    opener: str
    chain: Chain = ()
    index: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What is being written at the cursor.

    Attributes:
        word: as much of a name, or of a string's content, as stands before the cursor.
        chain: the names before it.
        sign: what joins the two, "." or ":"; "" for a name by itself.
        frames: the brackets and blocks around it, the innermost last.
        in_string: it is the content of a string.
        in_comment: it is nothing that could be completed.
        begins_entry: a field's name may stand here, in a table.
    """

    word: str = ""
    chain: Chain = ()
    sign: str = ""
    frames: Sequence[Frame] = ()
    in_string: bool = False
    in_comment: bool = False
    begins_entry: bool = False

    @property
    def call(self) -> Frame | None:
        """The innermost call whose arguments are being written, or None."""
        for frame in reversed(self.frames):
            if frame.opener in _BLOCKS:
                return None
            if frame.chain and frame.opener in "({":
                return frame
        return None


def place_at(lines: Sequence[str], row: int, column: int) -> Place:
    """Return what is being written at a place of a text.

    Args:
        row: of the cursor, from 0.
        column: so many characters of that line stand before the cursor.
    """
    first = max(0, row - LINES_LOOKED_AT)
    before = [*lines[first:row], lines[row][:column]]
    code, last_kind, last_start = _code(before)
    if last_kind == "comment":
        return Place(in_comment=True)
    reader = _Reader()
    if last_kind == "string":
        reader.read([*code[:-1], code[-1][:last_start]])
        return Place(before[-1][last_start + 1 :], frames=reader.frames, in_string=True)
    word = _WORD.search(code[-1])
    typed = word[0] if word else ""
    reader.read([*code[:-1], code[-1].removesuffix(typed)])
    return reader.place(typed)


def _code(lines: Iterable[str]) -> tuple[list[str], str, int]:
    """Return lines without comments and the content of strings.

    Returns:
        the lines, and for a string or comment that goes on at their end its kind and start.
    """
    code: list[str] = []
    still_open: Open | None = None
    kind, start = "", 0
    for line in lines:
        found, still_open = tokens(line, still_open)
        bare, kind = line, ""
        for token in found:
            if token.kind not in ("string", "comment"):
                continue
            filler = _FILLER if token.kind == "string" else " "
            bare = bare[: token.start] + filler * (token.end - token.start) + bare[token.end :]
            if token.end == len(line) and (still_open or _goes_on(line[token.start :], token.kind)):
                kind, start = token.kind, token.start
        code.append(bare)
    return code, kind, start


def _goes_on(text: str, kind: str) -> bool:
    """Return whether what stands at the end of a line would take in a further character."""
    if kind == "comment":
        return not text.startswith("--[") or not text.endswith("]")
    return text[0] in "\"'" and _CLOSED.fullmatch(text) is None


@dataclass(slots=True)
class _Reader:
    """Reads code from the left, and knows what is open."""

    frames: list[Frame] = field(default_factory=list)
    chain: Chain = ()
    sign: str = ""
    before: str = ""

    def read(self, code: Iterable[str]) -> None:
        """Go through lines of code."""
        for line in code:
            for match in _TOKEN.finditer(line):
                self._take(match)

    def place(self, word: str) -> Place:
        """Return what is being written after all that was read, as far as it was typed."""
        if self.sign:
            return Place(word, self.chain, self.sign, self.frames)
        in_table = bool(self.frames) and self.frames[-1].opener == "{"
        return Place(word, frames=self.frames, begins_entry=in_table and self.before in ("{", ",", ";"))

    def _take(self, match: re.Match[str]) -> None:
        text = match[0]
        if match["name"]:
            self._take_name(text)
        elif match["string"]:
            self._take_string()
        elif match["sign"]:
            self._take_sign(text)
        else:
            self._forget("number")

    def _take_name(self, name: str) -> None:
        if name in KEYWORDS:
            self._take_keyword(name)
            return
        if self.sign:
            self.chain = (*self.chain, name)
        else:
            self.chain = (name,)
        self.sign, self.before = "", "name"

    def _take_keyword(self, word: str) -> None:
        self._forget(word)
        if word in _BLOCKS:
            self.frames.append(Frame(word))
        elif word in _BLOCK_ENDS:
            self._close(_BLOCKS)

    def _take_string(self) -> None:
        called = self.before == "name" and self.chain
        self.chain = (*self.chain, CALLED) if called else ()
        self.sign, self.before = "", "value"

    def _take_sign(self, sign: str) -> None:
        if sign in (".", ":") and self.chain:
            self.sign, self.before = sign, sign
        elif sign in _CLOSING:
            self.frames.append(Frame(sign, self.chain if self.before in ("name", "value") else ()))
            self._forget(sign)
        elif sign in _CLOSING.values():
            frame = self._close([one for one, closing in _CLOSING.items() if closing == sign])
            called = frame is not None and frame.chain and frame.opener != "["
            self._forget("value")
            self.chain = (*frame.chain, CALLED) if frame is not None and called else ()
        else:
            self._take_plain(sign)

    def _take_plain(self, sign: str) -> None:
        frame = self.frames[-1] if self.frames else None
        if frame is not None and sign in ",;":
            frame.index, frame.key = frame.index + 1, ""
        elif frame is not None and frame.opener == "{" and sign == "=" and len(self.chain) == 1:
            frame.key = self.chain[0]
        self._forget(sign)

    def _close(self, openers: Iterable[str]) -> Frame | None:
        """Take the innermost frame of a kind away, with all that was left open inside."""
        wanted = tuple(openers)
        for at in range(len(self.frames) - 1, -1, -1):
            if self.frames[at].opener in wanted:
                frame = self.frames[at]
                del self.frames[at:]
                return frame
        return None

    def _forget(self, before: str) -> None:
        self.chain, self.sign, self.before = (), "", before
