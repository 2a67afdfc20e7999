"""A small lexer for Lua 5.5: which parts of a text are keywords, strings, comments and so on.

It needs no grammar, so that a half-typed line costs the lines below it nothing, and it works line by line
with one value carried over: the level of a long bracket that is still open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

KEYWORDS = frozenset(
    (
        *("and", "break", "do", "else", "elseif", "end", "for", "function", "global", "goto", "if", "in"),
        *("local", "not", "or", "repeat", "return", "then", "until", "while"),
    )
)
CONSTANTS = frozenset(("true", "false", "nil"))
#: The names that Moontide gives to a job file.
PROVIDED = frozenset(("core", "job", "require"))

_TOKEN = re.compile(
    r"""
    (?P<comment>--(?!\[=*\[).*)
  | (?P<long>(?:--)?\[(?P<level>=*)\[)
  | (?P<string>"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?)
  | (?P<number>0[xX][0-9a-fA-F.]+(?:[pP][+-]?\d+)?|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE,
)


class Token(msgspec.Struct, frozen=True, gc=False):
    """A coloured part of one line: from `start` up to `end`, in characters.

    Of a long text there are very many, and Python's collector has nothing to look for in them.
    """

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Open:
    """A long bracket that goes on in the next line."""

    level: str
    kind: str


def tokens(line: str, still_open: Open | None = None) -> tuple[list[Token], Open | None]:
    """Return the coloured parts of one line, and what is still open at its end.

    Args:
        still_open: what the line before left open.
    """
    found: list[Token] = []
    at = 0
    if still_open is not None:
        at = _end_of_long(line, 0, still_open.level)
        found.append(Token(0, at if at >= 0 else len(line), still_open.kind))
        if at < 0:
            return found, still_open
    while match := _TOKEN.search(line, at):
        if match["long"] is None:
            found += _short(match, line)
            at = match.end()
            continue
        opened = Open(match["level"], "comment" if match["long"].startswith("--") else "string")
        at = _end_of_long(line, match.end(), opened.level)
        found.append(Token(match.start(), at if at >= 0 else len(line), opened.kind))
        if at < 0:
            return found, opened
    return found, None


def _end_of_long(line: str, start: int, level: str) -> int:
    """Return where a long bracket ends on this line, or -1."""
    closing = f"]{level}]"
    place = line.find(closing, start)
    return place if place < 0 else place + len(closing)


def _short(match: re.Match[str], line: str) -> Iterator[Token]:
    kind = str(match.lastgroup)
    if kind == "name":
        kind = _kind_of_name(match["name"], line[match.end() :].lstrip()[:1])
    if kind:
        yield Token(match.start(), match.end(), kind)


def _kind_of_name(name: str, following: str) -> str:
    if name in KEYWORDS:
        return "keyword"
    if name in CONSTANTS:
        return "constant"
    if name in PROVIDED:
        return "provided"
    return "call" if following in ("(", "{", '"', "'") and following else ""


def all_tokens(lines: Sequence[str]) -> list[list[Token]]:
    """Return the coloured parts of each line of a text."""
    result: list[list[Token]] = []
    still_open: Open | None = None
    for line in lines:
        found, still_open = tokens(line, still_open)
        result.append(found)
    return result


#: The shade of each kind, and whether it is bold.
SHADES = {
    "keyword": "busy",
    "constant": "late",
    "number": "late",
    "string": "ok",
    "comment": "faint",
    "provided": "head",
    "call": "head",
}


def coloured(text: str) -> list[list[tuple[str, str]]]:
    """Return each line of a text as parts with the shades of the theme."""
    lines = text.splitlines()
    return [_parts(line, found) for line, found in zip(lines, all_tokens(lines), strict=True)]


def _parts(line: str, found: Sequence[Token]) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    at = 0
    for token in found:
        parts += [(line[at : token.start], ""), (line[token.start : token.end], SHADES[token.kind])]
        at = token.end
    return [part for part in [*parts, (line[at:], "")] if part[0]]


#: Where Lua names a place in a job file: `report.lua:12:` or `[string "report"]:12:`.
_PLACE = re.compile(r"(?:\.lua|\"\])?:(\d+):")


def error_line(error: str | None) -> int | None:
    """Return the number of the first line of the source that an error names, from 1."""
    match = _PLACE.search(error or "") or re.search(r"\bline (\d+)", error or "")
    return int(match[1]) if match else None
