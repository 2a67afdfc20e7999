"""Large values are read in steps, to the same end as small ones, and no further than is allowed."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import WireError
from engine.sandbox.stepwise import decode_large_arguments
from engine.sandbox.values import MAX_DEPTH, MAX_LARGE_BYTES, MAX_NODES, decode_arguments, encode_value

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary()
)
KEYS = st.text(max_size=40) | st.integers(-(2**63), 2**63 - 1)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner, max_size=20), max_leaves=60
)


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


@given(st.lists(VALUES))
def test_a_value_is_read_as_the_fast_reader_reads_it(values: list[Any]) -> None:
    data = encode_value(values)
    assert same(decode_large_arguments(data), decode_arguments(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_wire_error_as_the_fast_reader_has_it(data: bytes) -> None:
    try:
        expected = decode_arguments(data)
    except WireError:
        with pytest.raises(WireError):
            decode_large_arguments(data)
    else:
        assert same(decode_large_arguments(data), expected)


@pytest.mark.parametrize("text", ["x" * 3 * 2**20, "aя€𐍈" * 2**18, "€" * (2**20 + 1)])
def test_long_text_comes_through_whole(text: str) -> None:
    assert decode_large_arguments(encode_value([text], most_bytes=MAX_LARGE_BYTES)) == [text]


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xdd\x00\xff\xff\xf0" + b"\x90" * 0xFFFFF0, "more than 100000 parts"),
        (b"\xdd\xff\xff\xff\xff", "more than 100000 parts"),
        (b"\x91\xdf\xff\xff\xff\xff", "more than 100000 parts"),
        (b"\x91\xdb\xff\xff\xff\xffx", "cut short"),
        (b"\x91\xdb\x00\x20\x00\x00" + b"\xff" * 2**21, "UnicodeDecodeError"),
        (b"\x91" * 2**24, "nested deeper than 32 levels"),
        (b"\x81\x01" * 2**22, "nested deeper than 32 levels"),
        (b"\x91\x81" + b"\x91" * 100, "nested deeper"),
        (b"\x91\x81\xc0\x01", "a key of type NoneType"),
        (b"\x91\xd4\x05\x00", "unknown type"),
        (b"\x91\xc1", "unknown type"),
        (b"\x91\xcb" + msgspec.msgpack.encode(math.inf)[1:], "not finite"),
        (b"\x90\x90", "something follows"),
        (b"\x01", "arguments are no list"),
        (b"", "IndexError"),
        (bytes(MAX_LARGE_BYTES + 1), "longer than 17 MB"),
    ],
)
def test_what_no_honest_worker_sends_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        decode_large_arguments(data)


def test_the_bounds_are_those_of_small_values() -> None:
    assert len(decode_large_arguments(encode_value([0] * MAX_NODES))) == MAX_NODES
    deepest = encode_value([nested(MAX_DEPTH - 1)])
    assert same(decode_large_arguments(deepest), decode_arguments(deepest))
