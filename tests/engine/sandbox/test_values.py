"""Values between Lua and the engine: what goes round comes back, and no bytes do harm."""

from __future__ import annotations

import math
import os
import random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import WireError
from engine.sandbox import wire
from engine.sandbox.lua import LuaState, build_prelude
from engine.sandbox.values import (
    decode_arguments,
    decode_value,
    encode_value,
    json_ready,
)

_PRELUDE = build_prelude([])
_ECHO = b"local job = core.job() function job.run(run) return job.OK, run.v end return job"
_UTC = encode_value([[0, 0]])


def _rpc(_operation: bytes, *_payload: bytes) -> bytes:
    return os.urandom(16)


def through_lua(value: Any) -> Any:
    """Send a value into a fresh state and take it from the result of a run."""
    state = LuaState(_PRELUDE, _rpc)
    kind, code, result = state.run(b"echo.lua", _ECHO, encode_value({"v": value}), _UTC, 4096)
    assert (kind, code) == (b"returned", b"OK")
    return decode_value(result)


scalars = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=300)
    | st.binary(max_size=300)
)
keys = st.text(st.characters(codec="utf-8"), max_size=20)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, min_size=1, max_size=40) | st.dictionaries(keys, inner, max_size=40),
    max_leaves=60,
)


def as_lua_returns(value: Any) -> Any:
    """Whole floats are integers over there, bytes that are text are text, {} and [] are one."""
    if isinstance(value, float) and value.is_integer() and -(2**63) <= value < 2**63:
        return int(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, list):
        return [as_lua_returns(item) for item in value]
    if isinstance(value, dict):
        return {key: as_lua_returns(item) for key, item in value.items()}
    return value


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees)
def test_any_value_comes_back_as_it_went(value: Any) -> None:
    assert through_lua({"x": value}) == {"x": as_lua_returns(value)}


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**64 - 1, float(2**64 - 1)),
        (0.1, 0.1),
        (1e300, 1e300),
        (5e-324, 5e-324),
        (3.0, 3),
        (bytes(range(256)), bytes(range(256))),
        ("\x00", "\x00"),
        ([], {}),
        ({}, {}),
        ([None, 1, None], [None, 1, None]),
        ({"a": None, "b": 1}, {"b": 1}),
        ({5: "five", -1: "minus"}, {5: "five", -1: "minus"}),
        ({1: "a", 2: "b"}, ["a", "b"]),
        ("x" * 70_000, "x" * 70_000),
        (list(range(1000)), list(range(1000))),
        ((1, 2), [1, 2]),
    ],
)
def test_edges_come_back(value: Any, back: Any) -> None:
    assert through_lua({"x": value}) == {"x": back}


def test_negative_zero_is_zero() -> None:
    assert through_lua({"x": -0.0}) == {"x": 0}


def test_a_lua_float_stays_a_float() -> None:
    state = LuaState(_PRELUDE, _rpc)
    source = b"local job = core.job() function job.run() return job.OK, { 3.0, -0.0, 3 } end return job"
    result = decode_value(state.run(b"x.lua", source, encode_value({}), _UTC, 4096)[2])
    assert [type(item) for item in result] == [float, float, int]
    assert math.copysign(1, result[1]) == -1


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, object(), {1, object()}, "x" * 2**21])
def test_what_lua_cannot_have_is_refused(value: Any) -> None:
    with pytest.raises(WireError):
        encode_value(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(WireError):
        encode_value(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\xd4\x05\x00",
        b"\xd6\xff\x00\x00\x00\x01",
        b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
        b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00",
        b"\xa2\xff\xff",
        b"\x81\x90\x01",
        b"\x81\x80\x01",
        b"\x81\xc0\x01",
        b"\x81\xc3\x01",
        b"\x91" * 40 + b"\xc0",
        b"\x91" * 100_000 + b"\xc0",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xdd\x00\x02\x00\x00" + b"\x90" * 0x20000,
        b"\x01\x01",
        b"\x00" * 2**21,
    ],
)
def test_hostile_values_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_value(data)


def test_arguments_that_are_no_list_are_refused() -> None:
    with pytest.raises(WireError):
        decode_arguments(b"\x01")


_SEEDS = [
    encode_value([1, "two", {"three": [4.5, None, b"\xff"]}, True]),
    wire.pack(wire.Call("data.save", encode_value([1, 2]))),
    wire.pack(wire.Done("returned", b"OK", encode_value({"a": 1}))),
    wire.pack(wire.Ready({"seccomp": "on"})),
]


def _mutated(random_source: random.Random) -> bytes:
    data = bytearray(random_source.choice(_SEEDS))
    for _ in range(random_source.randrange(1, 6)):
        position = random_source.randrange(len(data) + 1)
        match random_source.randrange(3):
            case 0:
                data.insert(position, random_source.randrange(256))
            case 1:
                del data[position : position + 2]
            case _:
                data[position : position + 1] = random_source.randbytes(1)
    return bytes(data)


def test_no_bytes_raise_anything_but_a_wire_error() -> None:
    source = random.Random(20_000)
    for number in range(20_000):
        data = _mutated(source) if number % 2 else source.randbytes(source.randrange(60))
        for decode in (decode_value, lambda raw: wire.unpack(wire.from_worker, raw)):
            try:
                decode(data)
            except WireError:
                pass


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200))
def test_whatever_decodes_is_plain_data(data: bytes) -> None:
    try:
        value = decode_value(data)
    except WireError:
        return
    msgspec.json.encode(json_ready(value))


def test_the_largest_values_are_decided_on() -> None:
    # A decision that looks at a byte more than once for each level above it would take hours.
    for data in (b"\xdd\x00\x0f\xff\x00" + b"\x90" * 0xFFF00, b"\x91" * 2**20, b"\x81\x01" * 2**19):
        with pytest.raises(WireError):
            decode_value(data)


def test_frames_are_cut_wherever_the_stream_is() -> None:
    messages = [wire.Call("a.b", b"x" * size) for size in (0, 1, 70_000)]
    stream = b"".join(wire.frame(message) for message in messages)
    for step in (1, 3, 1000, len(stream)):
        buffer = wire.FrameBuffer()
        payloads = [
            payload
            for start in range(0, len(stream), step)
            for payload in buffer.feed(stream[start : start + step])
        ]
        assert [wire.unpack(wire.from_worker, payload) for payload in payloads] == messages


def test_a_frame_that_announces_too_much_is_refused() -> None:
    with pytest.raises(WireError):
        list(wire.FrameBuffer().feed(b"\xff\xff\xff\xff"))


def test_a_message_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(WireError):
        wire.frame(wire.Source(b"x" * (wire.MAX_FRAME_BYTES + 1)))


def test_json_ready_has_text_for_all_keys_and_bytes() -> None:
    assert json_ready({1: b"\xff", "a": [b"x", 0.5, None]}) == {"1": "\ufffd", "a": ["x", 0.5, None]}


def test_a_state_keeps_the_program_that_prepared_it() -> None:
    state = LuaState(bytes(bytearray(_PRELUDE)), _rpc)
    others = [os.urandom(len(_PRELUDE)) for _ in range(20)]  # would stand in its place, had it been given up
    ended = state.run(b"echo.lua", _ECHO, encode_value({"v": len(others)}), _UTC, 4096)
    assert (ended[0], decode_value(ended[2])) == (b"returned", 20)
