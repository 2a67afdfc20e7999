"""What the process that builds a large letter is told, in frames: never the whole of it at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from plugins.mail.message import Attachment, Draft

LENGTH_BYTES = 4

#: Characters or bytes of a draft that go into one frame.
STEP = 2**16


class Order(msgspec.Struct):
    """What is to be built; see `build_letter`."""

    draft: Draft
    default_sender: str
    tag_field: str


def frame(data: bytes) -> bytes:
    """Return data with its length in front."""
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def write_order(order: Order) -> Iterator[bytes]:
    """Yield an order as frames: the draft without texts and files, then these, each ended by an empty one."""
    draft = order.draft
    bare = replace(
        draft,
        text=None if draft.text is None else "",
        html=None if draft.html is None else "",
        attachments=[Attachment(file.name, b"") for file in draft.attachments],
    )
    yield frame(msgspec.msgpack.encode(replace(order, draft=bare)))
    for text in (draft.text, draft.html):
        if text is not None:
            yield from _in_steps(text)
    for file in draft.attachments:
        yield from _in_steps(file.content)


def _in_steps(long: str | bytes) -> Iterator[bytes]:
    for start in range(0, len(long), STEP):
        step = long[start : start + STEP]
        yield frame(step.encode() if isinstance(step, str) else step)
    yield frame(b"")


def read_order(incoming: BinaryIO) -> Order:
    """Return the order that was written.

    Raises:
        EOFError: it is cut short.
    """
    order = msgspec.msgpack.decode(_read_frame(incoming), type=Order)
    draft = order.draft
    if draft.text is not None:
        draft.text = _read_long(incoming).decode()
    if draft.html is not None:
        draft.html = _read_long(incoming).decode()
    for file in draft.attachments:
        file.content = _read_long(incoming)
    return order


def _read_long(incoming: BinaryIO) -> bytes:
    steps = []
    while step := _read_frame(incoming):
        steps.append(step)
    return b"".join(steps)


def _read_frame(incoming: BinaryIO) -> bytes:
    header = incoming.read(LENGTH_BYTES)
    length = int.from_bytes(header, "big")
    data = incoming.read(length)
    if len(header) < LENGTH_BYTES or len(data) < length:
        raise EOFError("the order is cut short")
    return data
