"""Messages between the engine, its workers and the zygote: typed, bounded, and never trusted.

A frame is a length (4 bytes, big endian) and that many bytes of MessagePack. Lua values travel inside
messages as MessagePack of their own, so that a worker passes them on without looking at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from engine.errors import WireError

#: No frame is longer; a worker that announces more is not one of ours any more.
MAX_FRAME_BYTES = 2 * 2**20

#: Except for what core functions return: it goes from the engine to a worker only.
MAX_REPLY_FRAME_BYTES = 18 * 2**20

#: Larger arguments go to the engine in parts of this size, the last and smaller one with the call.
PART_BYTES = 2**20
HEADER_BYTES = 4


class Message(msgspec.Struct, frozen=True, array_like=True):
    """Root of all messages."""


class Run(Message, frozen=True, tag="run"):
    """Engine to worker: run a job file. `context` and `zone` are encoded values."""

    name: str
    source: bytes
    context: bytes
    zone: bytes
    memory_bytes: int
    cpu_seconds: float
    calls: int
    log_bytes: int
    log_line_bytes: int


class Declare(Message, frozen=True, tag="declare"):
    """Engine to worker: load a job file and tell its settings."""

    name: str
    source: bytes
    memory_bytes: int
    cpu_seconds: float
    calls: int


class Reply(Message, frozen=True, tag="reply"):
    """Engine to worker: the encoded list of values that a call returned."""

    values: bytes


class Failure(Message, frozen=True, tag="failure"):
    """Engine to worker: a call or a require failed."""

    message: str
    code: int = 810


class Source(Message, frozen=True, tag="source"):
    """Engine to worker: the text of a library module."""

    text: bytes


class Ready(Message, frozen=True, tag="ready"):
    """Worker to engine, first of all: which walls stand ("on") and which do not ("missing: why")."""

    walls: dict[str, str]


class Call(Message, frozen=True, tag="call"):
    """Worker to engine: a core function; the worker waits for Reply or Failure."""

    method: str
    arguments: bytes


class Part(Message, frozen=True, tag="part"):
    """Worker to engine: `PART_BYTES` of the arguments of the call that follows, `total` bytes in all."""

    method: str
    total: int
    data: bytes


class Notify(Message, frozen=True, tag="notify"):
    """Worker to engine: a one-way core function."""

    method: str
    arguments: bytes


class Require(Message, frozen=True, tag="require"):
    """Worker to engine: a library module; the worker waits for Source or Failure."""

    module: str


class Done(Message, frozen=True, tag="done"):
    """Worker to engine: the run ended by itself.

    `kind` is "returned", "bad_return", "error" or "memory"; `text` is the code, or what went wrong.
    """

    kind: str
    text: bytes
    result: bytes | None = None
    note: bytes | None = None
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    dropped: int = 0


class Declared(Message, frozen=True, tag="declared"):
    """Worker to engine: the encoded settings of a job file, or why it cannot be used.

    `varies`: the file asked for the time or for chance, and may declare something else the next time.
    """

    settings: bytes | None
    error: bytes | None = None
    cpu_seconds: float = 0.0
    varies: bool = False


class Fatal(Message, frozen=True, tag="fatal"):
    """Worker to engine, last of all: "memory", "calls" or "bug" with a traceback."""

    reason: str
    detail: str = ""


class Forked(Message, frozen=True, tag="forked"):
    """Zygote to engine: the worker asked for; its pidfd comes beside this message."""

    ticket: int
    pid: int


class NotForked(Message, frozen=True, tag="not forked"):
    """Zygote to engine: no worker, and why."""

    ticket: int
    reason: str


class Reaped(Message, frozen=True, tag="reaped"):
    """Zygote to engine: a worker ended. `status` as of wait(2)."""

    pid: int
    status: int
    cpu_seconds: float
    peak_memory_bytes: int


class Hatched(Message, frozen=True, tag="hatched"):
    """Zygote to engine: ready to fork, or why it never will be."""

    problem: str | None = None


class Manifest(Message, frozen=True, tag="manifest"):
    """Engine to zygote: a core module."""

    name: str
    functions: list[str]
    one_way: list[str]
    facade: str | None
    large: list[str] = []


class Setup(Message, frozen=True, tag="setup"):
    """Engine to zygote: all that its workers need to know."""

    modules: list[Manifest]
    memory_ceiling_bytes: int
    cpu_ceiling_seconds: float


ToWorker = Run | Declare | Reply | Failure | Source
FromWorker = Ready | Part | Call | Notify | Require | Done | Declared | Fatal
FromZygote = Forked | NotForked | Reaped | Hatched

_encoder = msgspec.msgpack.Encoder()
to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
from_zygote: msgspec.msgpack.Decoder[FromZygote] = msgspec.msgpack.Decoder(FromZygote)
setup: msgspec.msgpack.Decoder[Setup] = msgspec.msgpack.Decoder(Setup)

T = TypeVar("T")


def pack(message: Message) -> bytes:
    """Return a message as bytes, without a frame."""
    return _encoder.encode(message)


def unpack(decoder: msgspec.msgpack.Decoder[T], payload: bytes) -> T:
    """Return the message in `payload`.

    Raises:
        WireError: whatever is wrong with the bytes; nothing else is ever raised.
    """
    try:
        return decoder.decode(payload)
    except Exception as error:  # these bytes may be hostile, and the decoder's errors have no common root
        raise WireError(f"not a message: {type(error).__name__}") from error


def frame(message: Message) -> bytes | bytearray:
    """Return a message as one frame.

    Raises:
        WireError: it is longer than a frame may be.
    """
    if isinstance(message, Reply) and len(message.values) > MAX_FRAME_BYTES // 2:
        return _large_frame(message)
    payload = _encoder.encode(message)
    length = len(payload)
    if length > MAX_FRAME_BYTES:
        raise _too_long(MAX_FRAME_BYTES)
    return length.to_bytes(HEADER_BYTES, "big") + payload


def _large_frame(reply: Reply) -> bytearray:
    """Return a frame that was copied once only."""
    data = bytearray(HEADER_BYTES)
    _encoder.encode_into(reply, data, HEADER_BYTES)
    length = len(data) - HEADER_BYTES
    if length > MAX_REPLY_FRAME_BYTES:
        raise _too_long(MAX_REPLY_FRAME_BYTES)
    data[:HEADER_BYTES] = length.to_bytes(HEADER_BYTES, "big")
    return data


def _too_long(most_bytes: int) -> WireError:
    return WireError(f"a message is longer than {most_bytes // 2**20} MB")


class FrameBuffer:
    """Cuts a stream of bytes into frames."""

    def __init__(self, most_bytes: int = MAX_FRAME_BYTES) -> None:
        self._data = bytearray()
        self._start = 0
        self._most_bytes = most_bytes

    @property
    def empty(self) -> bool:
        """Whether nothing has come beyond the payload that was given last."""
        return self._start == len(self._data)

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Take what arrived and give each payload that is now complete.

        Raises:
            WireError: a frame longer than `most_bytes` is announced.
        """
        if not self._data:
            length = len(data) - HEADER_BYTES
            if length <= self._most_bytes and int.from_bytes(data[:HEADER_BYTES], "big") == length:
                return (data[HEADER_BYTES:],)
        self._data += data
        return self._cut()

    def _cut(self) -> Iterator[bytes]:
        try:
            while len(self._data) - self._start >= HEADER_BYTES:
                body = self._start + HEADER_BYTES
                length = int.from_bytes(self._data[self._start : body], "big")
                if length > self._most_bytes:
                    raise WireError(f"a frame of {length} bytes is announced")
                if len(self._data) < body + length:
                    return
                self._start = body + length
                with memoryview(self._data) as view:
                    payload = bytes(view[body : self._start])
                yield payload
        finally:
            del self._data[: self._start]
            self._start = 0
