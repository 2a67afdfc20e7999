"""The tokens of Lua 5.5 source text, with the places where they stand, and what its literals mean.

For finding a piece of a text and changing nothing else of it; Lua itself judges whether the whole is right.
Source: the Lua 5.5 reference manual, section 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from engine.errors import JobFileError


class Kind(Enum):
    """What a token is."""

    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    SIGN = "sign"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: text[start:end], in characters."""

    kind: Kind
    start: int
    end: int
    text: str


_TOKEN = re.compile(
    r"""
    (?P<blank>\s+)
  | (?P<comment>--\[(?P<comment_level>=*)\[|--[^\n]*)
  | (?P<long>\[(?P<level>=*)\[)
  | (?P<string>"(?:\\z\s*|\\(?s:.)|[^"\\\n])*"|'(?:\\z\s*|\\(?s:.)|[^'\\\n])*')
  | (?P<number>0[xX](?:[0-9a-fA-F.]|[pP][+-]?)+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<sign>\.\.\.|\.\.|==|~=|<=|>=|//|::|<<|>>|[-+*/%^\#&~|<>=(){}\[\];:,.])
    """,
    re.VERBOSE | re.ASCII,
)

_ESCAPE = re.compile(
    r"\\(?:z\s*|x(?P<hex>[0-9a-fA-F]{2})|u\{(?P<code>[0-9a-fA-F]+)\}|(?P<decimal>\d{1,3})|(?P<other>(?s:.)))",
    re.ASCII,
)

_MEANT = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def tokens(text: str) -> Iterator[Token]:
    """Go through a text's tokens in order, comments too.

    Raises:
        JobFileError: a string or comment has no end, or a character can stand in no Lua text.
    """
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise JobFileError(f"line {line_at(text, at)}: {text[at]!r} cannot be read as Lua")
        end = match.end()
        if match["long"] is not None or match["comment_level"] is not None:
            end = _end_of_long(text, match)
        kind = _kind_of(match)
        if kind is not None:
            yield Token(kind, at, end, text[at:end])
        at = end


def line_at(text: str, place: int) -> int:
    """Return the number of the line in which a character stands, from 1 on."""
    return text.count("\n", 0, place) + 1


def _kind_of(match: re.Match[str]) -> Kind | None:
    if match["blank"] is not None:
        return None
    if match["long"] is not None:
        return Kind.STRING
    return Kind(match.lastgroup) if match["comment"] is None else Kind.COMMENT


def _end_of_long(text: str, match: re.Match[str]) -> int:
    level = match["level"] if match["long"] is not None else match["comment_level"]
    closing = f"]{level}]"
    end = text.find(closing, match.end())
    if end < 0:
        raise JobFileError(f"line {line_at(text, match.start())}: {match[0]} has no {closing}")
    return end + len(closing)


def meaning_of_string(text: str) -> str:
    """Return the text that a string token stands for.

    Raises:
        ValueError: it stands for bytes that are no UTF-8, which no setting takes.
    """
    if text[0] == "[":
        width = text.index("[", 1) + 1
        inner = text[width:-width]
        return inner.removeprefix("\r").removeprefix("\n")
    raw = bytearray()
    at, inner = 0, text[1:-1]
    for match in _ESCAPE.finditer(inner):
        raw += inner[at : match.start()].encode() + _meant(match)
        at = match.end()
    return (raw + inner[at:].encode()).decode()


def _meant(match: re.Match[str]) -> bytes:
    if match["hex"]:
        return bytes([int(match["hex"], 16)])
    if match["code"]:
        return chr(int(match["code"], 16)).encode()
    if match["decimal"]:
        return bytes([int(match["decimal"])])
    return _MEANT.get(match["other"], match["other"]).encode() if match["other"] else b""


def meaning_of_number(text: str) -> int | float:
    """Return the number that a number token stands for.

    Raises:
        ValueError: it is no number.
    """
    if text[:2] in ("0x", "0X"):
        return float.fromhex(text) if any(sign in text for sign in ".pP") else int(text, 16)
    return int(text) if text.isdigit() else float(text)
