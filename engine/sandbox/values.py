"""Lua values on the engine's side: MessagePack from workers is hostile until it has passed here."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.errors import WireError

MAX_DEPTH = 32
MAX_NODES = 100_000
MAX_VALUE_BYTES = 2**20

#: What a core function returns may be larger, and what some are given: documents, files, mails, web pages.
#: There is room for 16 MB of any of them with all that is around it.
MAX_LARGE_BYTES = 17 * 2**20

#: Text that `core.json` reads or writes: as much as an answer of the web may have.
MAX_JSON_BYTES = 10 * 2**20

_SCALARS = frozenset({str, int, bool, bytes, type(None)})
_KEYS = frozenset({str, int, float, bytes})


def _refuse_extension(code: int, _data: memoryview) -> Any:
    raise WireError(f"extension type {code}")


_decoder = msgspec.msgpack.Decoder(ext_hook=_refuse_extension)
_encoder = msgspec.msgpack.Encoder()


def decode_value(data: bytes) -> Any:
    """Return the value that a worker encoded: None, bool, int, float, str, bytes, list or dict.

    Raises:
        WireError: it is anything else, too deep, too large, not finite; nothing else is ever raised.
    """
    if len(data) > MAX_VALUE_BYTES + 64:
        raise WireError("a value is longer than 1 MB")
    try:
        value = _decoder.decode(data)
    except Exception as error:  # hostile bytes; the decoder's errors have no common root
        raise WireError(f"not a value: {type(error).__name__}") from error
    _check(value)
    return value


def decode_arguments(data: bytes) -> list[Any]:
    """Return the list of arguments that a worker encoded.

    Raises:
        WireError: it is no list, or holds what `decode_value` refuses.
    """
    value = decode_value(data)
    if not isinstance(value, list):
        raise WireError("arguments are no list")
    return value


def _check(value: Any) -> None:
    nodes = 0
    level = [value]
    for _depth in range(MAX_DEPTH + 2):
        deeper: list[Any] = []
        for item in level:
            kind = type(item)
            if kind in _SCALARS:
                continue
            if kind is float:
                _check_number(item)
            elif kind is list:
                deeper += item
            elif kind is dict:
                _check_keys(item)
                deeper += item.values()
            else:
                raise WireError(f"a value of type {kind.__name__}")
        nodes += len(deeper)
        if nodes > MAX_NODES + 64:
            raise WireError("a value of more than 100000 parts")
        if not deeper:
            return
        level = deeper
    raise WireError("a value nested deeper than 32 levels")


def _check_number(number: float) -> None:
    if number - number != 0.0:
        raise WireError("a number that is not finite")


def _check_keys(table: dict[Any, Any]) -> None:
    for key in table:
        kind = type(key)
        if kind not in _KEYS:
            raise WireError(f"a key of type {kind.__name__}")
        if kind is float:
            _check_number(key)


def encode_value(value: Any, *, most_bytes: int = MAX_VALUE_BYTES) -> bytes:
    """Return plain data as a worker's Lua codec reads it.

    Whole floats become integers and None in a list `core.NULL` over there.

    Raises:
        WireError: a type that Lua cannot have, a number beyond 64 bits, or more than `most_bytes`.
    """
    try:
        data = _encoder.encode(value)
    except Exception as error:  # TypeError, OverflowError, RecursionError, ValueError: all mean the same here
        raise WireError(f"cannot become a Lua value: {error}") from error
    if len(data) > most_bytes:
        raise WireError(f"larger than {most_bytes // 2**20} MB")
    return data


def json_ready(value: Any) -> Any:
    """Return a decoded value with string keys and text for bytes, as JSON can hold it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return [json_ready(item) for item in value]
    if isinstance(value, dict):
        return {_json_key(key): json_ready(item) for key, item in value.items()}
    return value


def _json_key(key: Any) -> str:
    if isinstance(key, bytes):
        return key.decode("utf-8", "replace")
    return str(key)
