"""Frames as a worker sends them, changed at random, for whatever reads them in the engine."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

import msgspec

from engine.errors import WireError
from engine.sandbox import wire
from engine.sandbox.answers import read_declared, read_done
from engine.sandbox.stepwise import decode_large_arguments
from engine.sandbox.values import decode_arguments, encode_value

#: In so many seconds a thousand frames must be read, however busy the machine.
BATCH_SECONDS = 120.0
_BATCH = 1000

_VALUE = encode_value(["moon", 7, -1, 2**63 - 1, 0.5, None, True, {"a": {"b": [b"\xff", []]}}])

SEEDS: tuple[wire.Message, ...] = (
    wire.Ready({"seccomp": "on", "landlock": "missing: old kernel"}),
    wire.Call("data.save", _VALUE),
    wire.Part("data.save", 2**21, b"x" * 300),
    wire.Notify("log.write", encode_value(["info", "a line"])),
    wire.Require("lib.money"),
    wire.Done("returned", b"OK", _VALUE, None, 0.25, 2**20, 3),
    wire.Done("returned", b"RETRY", encode_value("30s")),
    wire.Done("returned", b"OK", None, b"the result was not kept", 0.0, 1, 0),
    wire.Done("error", b"report.lua:1: it is Monday\n  report.lua:1: in job.run()"),
    wire.Done("memory", b""),
    wire.Declared(encode_value({"every": "2m", "tags": {"team": "shop"}})),
    wire.Declared(None, b"report.lua:3: unexpected symbol", 0.1),
    wire.Fatal("bug", "Traceback"),
)

_ODD = (
    b"",
    b"\x00",
    b"\xff",
    b"\xc1",
    b"\x80",
    b"\x90",
    b"\xc0",
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\xcf" + b"\xff" * 8,
    b"\xd3\x80" + b"\x00" * 7,
    b"\xcb\x7f\xf0" + b"\x00" * 6,
    b"\xcb\x7f\xf8" + b"\x00" * 6,
    b"\xd6\xff\x00\x00\x00\x00",
    b"\xc7\xff\x7f",
    b"\x91" * 500,
    b"\x81\xa1a" * 200,
    b"\xa4done",
    b"\xa4call",
)


class Hang(Exception):
    """The reading of frames did not come to an end."""


@dataclass(frozen=True, slots=True)
class Read:
    """How many frames were read, how many were messages, and what the slowest one took."""

    frames: int
    messages: int
    slowest_seconds: float


def take(data: bytes) -> int:
    """Read bytes as the engine does; return how many messages were in them.

    Raises:
        WireError: they are not what a worker sends. Nothing else may ever be raised.
    """
    count = 0
    for payload in wire.FrameBuffer().feed(data):
        _use(wire.unpack(wire.from_worker, payload))
        count += 1
    return count


def _use(message: wire.FromWorker) -> None:
    if isinstance(message, wire.Call | wire.Notify):
        decode_arguments(message.arguments)
        decode_large_arguments(message.arguments)
    elif isinstance(message, wire.Done):
        read_done(message, result_bytes=2**16, memory_words="memory", seconds=0.1)
    elif isinstance(message, wire.Declared):
        read_declared("report.lua", message)


def read_many(count: int, seed: int) -> Read:
    """Read so many changed frames.

    Raises:
        Hang: it does not come to an end.
    """
    source, messages, slowest = random.Random(seed), 0, 0.0
    frames = mutations(source)
    for start in range(0, count, _BATCH):
        with _bounded(BATCH_SECONDS):
            for _ in range(min(_BATCH, count - start)):
                began = time.monotonic()
                messages += _read_one(next(frames))
                slowest = max(slowest, time.monotonic() - began)
    return Read(count, messages, slowest)


def _read_one(data: bytes) -> int:
    try:
        return take(data)
    except WireError:
        return 0


def mutations(source: random.Random) -> Iterator[bytes]:
    """Yield frames without end: good ones with some changes, spliced ones, and plain noise."""
    good = [bytes(wire.frame(message)) for message in SEEDS]
    while True:
        choice = source.random()
        if choice < 0.05:
            yield source.randbytes(source.randrange(200))
        elif choice < 0.10:
            yield _framed(source.randbytes(source.randrange(100)))
        elif choice < 0.25:
            yield _framed(_changed(source, source.choice(good)[wire.HEADER_BYTES :]))
        elif choice < 0.40:
            yield _framed(_inner_changed(source))
        elif choice < 0.50:
            yield _spliced(source, good)
        else:
            yield _changed(source, source.choice(good))


def _framed(payload: bytes) -> bytes:
    return len(payload).to_bytes(wire.HEADER_BYTES, "big") + payload


def _inner_changed(source: random.Random) -> bytes:
    value = _changed(source, _VALUE)
    return msgspec.msgpack.encode(
        source.choice([["call", "data.save", value], ["done", "returned", b"OK", value]])
    )


def _spliced(source: random.Random, good: list[bytes]) -> bytes:
    one, other = source.choice(good), source.choice(good)
    return one[: source.randrange(len(one) + 1)] + other[source.randrange(len(other) + 1) :]


def _changed(source: random.Random, data: bytes) -> bytes:
    for _ in range(source.choice((1, 1, 1, 2, 3, 8))):
        at = source.randrange(len(data) + 1)
        end = min(len(data), at + source.choice((0, 1, 1, 2, 4, 16)))
        kind = source.randrange(4)
        if kind == 0 and at < len(data):
            data = data[:at] + bytes([data[at] ^ (1 << source.randrange(8))]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + source.randbytes(end - at) + data[end:]
        elif kind == 2:
            data = data[:at] + source.choice(_ODD) + data[end:]
        else:
            data = data[:end] + data[at:]
    return data


@contextlib.contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Raise `Hang` if the block takes longer; it must run in the main thread."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"not done after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
