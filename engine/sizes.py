"""How large plain data is, told at a glance."""

from __future__ import annotations

from typing import Any

#: From here on, reading, writing or copying a value takes long enough to be done in a thread.
_LARGE_NODES = 2000
_LARGE_TEXT = 2**18


def is_large(value: Any) -> bool:
    """Whether plain data has so many parts, or such long text, that the event loop should not wait for it."""
    nodes = text = 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is str or kind is bytes:
            text += len(item)
        elif kind is list or kind is dict:
            nodes += len(item)
            if nodes <= _LARGE_NODES:
                waiting += item
                if kind is dict:
                    waiting += item.values()
        if nodes > _LARGE_NODES or text > _LARGE_TEXT:
            return True
    return False
