"""What the engine and the process that renders send each other; the engine itself loads no Jinja."""

from __future__ import annotations

from typing import Any

import msgspec

#: Of the length that stands in front of each parcel.
LENGTH_BYTES = 4


class Request(msgspec.Struct):
    """What is to be rendered."""

    name: str
    values: dict[str, Any]


class Answer(msgspec.Struct):
    """The text, or else a problem with its code."""

    text: str | None = None
    problem: str = ""
    code: int = 0
