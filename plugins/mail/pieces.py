"""The text of a letter as it goes over the line, in pieces: a large one must not keep the engine waiting."""

from __future__ import annotations

import re
from collections.abc import Iterator

PIECE_BYTES = 2**16

_LINE_END = re.compile(rb"\r\n|\n|\r")
_DOT = re.compile(rb"(?m)^\.")


def pieces(data: bytes) -> Iterator[bytes]:
    """Yield a text as RFC 5321, section 4.5.2, wants it sent: dots doubled, lines ended with CR LF."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + PIECE_BYTES) + 1 or len(data)
        lines = _LINE_END.sub(b"\r\n", data[start:end])
        yield _DOT.sub(b"..", lines if lines.endswith(b"\r\n") else lines + b"\r\n")
        start = end
