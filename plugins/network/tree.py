"""JSON to Lua tables and back, with the bounds of both."""

from __future__ import annotations

from typing import Any

import msgspec

from moontide import CoreError
from moontide.quantities import format_size

BAD_JSON = 830
NO_JSON = 831

MOST_DEPTH = 30

#: Reading JSON holds everything else up, about 15 ms for each megabyte.
MOST_JSON_BYTES = 2**20


def from_json(where: str, text: bytes) -> Any:
    """Return what JSON says.

    Args:
        where: begins each message.

    Raises:
        CoreError: 830, it is not JSON, null, too large or nested too deep for Lua.
    """
    if len(text) > MOST_JSON_BYTES:
        limit = format_size(MOST_JSON_BYTES)
        words = f"{where} sent more than {limit} of JSON; take core.network.get and core.json.decode"
        raise CoreError(words, BAD_JSON)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CoreError(f"{where} did not send JSON", BAD_JSON) from error
    if value is None:
        raise CoreError(f"{where} sent null", BAD_JSON)
    if depth(value) > MOST_DEPTH:
        raise CoreError(f"{where} sent JSON nested deeper than {MOST_DEPTH} levels", BAD_JSON)
    return value


def to_json(where: str, value: Any) -> bytes:
    """Return a Lua table as JSON.

    Raises:
        CoreError: 831, it holds text that is not UTF-8.
    """
    try:
        return msgspec.json.encode(_as_json(value))
    except ValueError as error:
        raise CoreError(f"{where}: {error}", NO_JSON) from error


# Tables from Lua are at most 32 deep, so this ends. Left alone, msgspec would write bytes in base 64.
def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {_as_json(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, bytes):
        raise ValueError("a string in the table is not UTF-8 text")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def depth(value: Any) -> int:
    """Return how many tables stand inside each other."""
    levels, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        levels += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return levels
