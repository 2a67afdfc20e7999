"""Large values from workers, read in steps: no other thread of the engine has to wait for the whole of one.

`msgspec` reads faster but lets go of the interpreter's lock only at the end, and it knows no bound on the
number of parts: 16 MB of empty lists would stop the engine for seconds. Here each part is counted.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import Any

from engine.errors import WireError
from engine.sandbox.values import MAX_DEPTH, MAX_LARGE_BYTES, MAX_NODES

#: Text is decoded in pieces of this size.
_TEXT_STEP_BYTES = 2**20

_NUMBERS = {
    0xCA: struct.Struct(">f"),
    0xCB: struct.Struct(">d"),
    0xCC: struct.Struct(">B"),
    0xCD: struct.Struct(">H"),
    0xCE: struct.Struct(">I"),
    0xCF: struct.Struct(">Q"),
    0xD0: struct.Struct(">b"),
    0xD1: struct.Struct(">h"),
    0xD2: struct.Struct(">i"),
    0xD3: struct.Struct(">q"),
}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_LISTS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}


def decode_large_arguments(data: bytes) -> list[Any]:
    """Return the list of arguments that a worker encoded; for a thread.

    Raises:
        WireError: it is no list, too deep, of too many parts, too large, or broken; nothing else is raised.
    """
    if len(data) > MAX_LARGE_BYTES:
        raise WireError(f"a value is longer than {MAX_LARGE_BYTES // 2**20} MB")
    reader = _Reader(data)
    try:
        value = reader.value(0)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise WireError(f"not a value: {type(error).__name__}") from error
    if not reader.at_end:
        raise WireError("not a value: something follows it")
    if not isinstance(value, list):
        raise WireError("arguments are no list")
    return value


class _Reader:
    """Walks through MessagePack, one part at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._nodes = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def value(self, depth: int) -> Any:
        tag = self._data[self._at]
        self._at += 1
        if tag < 0x80:
            return tag
        if tag >= 0xE0:
            return tag - 0x100
        if tag >= 0xC0:
            return self._tagged(tag, depth)
        if tag >= 0xA0:
            return self._text(tag - 0xA0)
        return self._list(tag - 0x90, depth) if tag >= 0x90 else self._map(tag - 0x80, depth)

    def _tagged(self, tag: int, depth: int) -> Any:
        if number := _NUMBERS.get(tag):
            return _finite(number.unpack(self._take(number.size))[0])
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        readers: tuple[tuple[dict[int, int], Callable[[int], Any]], ...] = (
            (_TEXTS, self._text),
            (_BYTES, self._take),
            (_LISTS, lambda count: self._list(count, depth)),
            (_MAPS, lambda count: self._map(count, depth)),
        )
        for sizes, read in readers:
            if tag in sizes:
                return read(int.from_bytes(self._take(sizes[tag]), "big"))
        raise WireError("a value of an unknown type")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise WireError("not a value: it is cut short")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def _text(self, size: int) -> str:
        if size <= _TEXT_STEP_BYTES:
            return self._take(size).decode()
        decoder = codecs.getincrementaldecoder("utf-8")()
        pieces = []
        while size:
            step = min(size, _TEXT_STEP_BYTES)
            size -= step
            pieces.append(decoder.decode(self._take(step), final=not size))
        return "".join(pieces)

    def _list(self, count: int, depth: int) -> list[Any]:
        self._enter(count, depth)
        return [self.value(depth + 1) for _ in range(count)]

    def _map(self, count: int, depth: int) -> dict[Any, Any]:
        self._enter(count, depth)
        table = {}
        for _ in range(count):
            key = self.value(MAX_DEPTH + 1)
            if type(key) not in (str, int, float, bytes):
                raise WireError(f"a key of type {type(key).__name__}")
            table[key] = self.value(depth + 1)
        return table

    def _enter(self, count: int, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise WireError(f"a value nested deeper than {MAX_DEPTH} levels")
        self._nodes += count
        if self._nodes > MAX_NODES + 64:
            raise WireError(f"a value of more than {MAX_NODES} parts")


def _finite(number: float) -> float:
    if number - number != 0.0:
        raise WireError("a number that is not finite")
    return number
