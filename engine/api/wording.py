"""What a request is on its way to an engine, and what comes back: the same for both clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from engine.api.calls import Call

#: What may stand in a path; all else is written by its bytes.
_OF_PATHS = "/%:@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine answered."""

    status: int
    content: bytes


def address_of(call: Call[Any], base_path: str) -> str:
    """Return what a request asks for: path and parameters, as they stand in its first line."""
    return quote(base_path.rstrip("/") + call.path, safe=_OF_PATHS) + _query(call.params)


def _query(params: Mapping[str, Any]) -> str:
    pairs = [
        (name, _text(one))
        for name, value in params.items()
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
    return f"?{urlencode(pairs)}" if pairs else ""


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
