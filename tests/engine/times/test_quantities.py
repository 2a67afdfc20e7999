"""Durations and sizes as people write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.times.quantities import compact_duration, format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90.0),
        (1.5, 1.5),
        ("90", 90.0),
        ("30s", 30.0),
        ("500ms", 0.5),
        ("15m", 900.0),
        ("1h30m", 5400.0),
        ("1 h 30 min", 5400.0),
        ("2d", 172_800.0),
        ("1w", 604_800.0),
        ("1.5h", 5400.0),
        (" 1H30M ", 5400.0),
        ("0.1s", 0.1),
        (-1, -1.0),
        (0, 0.0),
    ],
)
def test_a_duration_is_read(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["soon", "", "s", "1x", "30m1h", "1m1m", "1h30", "-5s", "1.5.2s", "1e3", "٣s", "3ss", True, None, [1]],
)
def test_what_is_no_duration_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="is not a duration; write 30s, 15m, 1h30m or a number of seconds"):
        parse_duration(written)


@pytest.mark.parametrize("written", [float("inf"), float("nan"), 10**400])
def test_a_duration_is_finite(written: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        parse_duration(written)


def test_a_long_wrong_value_is_shortened_in_the_message() -> None:
    with pytest.raises(ValueError) as caught:
        parse_duration("x" * 10_000)
    assert len(str(caught.value)) < 200


@settings(deadline=None)
@given(st.integers(0, 10**13))
def test_a_compact_duration_reads_back_exactly(microseconds: int) -> None:
    seconds = microseconds / 1_000_000
    assert round(parse_duration(compact_duration(seconds)), 6) == seconds


@settings(deadline=None)
@given(st.integers(0, 10**8))
def test_a_duration_in_whole_seconds_reads_back_from_its_sentence_form(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@settings(deadline=None)
@given(st.one_of(st.text(max_size=12), st.integers(), st.floats()))
def test_any_value_gives_seconds_or_a_value_error(value: object) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_duration(value), float)


@pytest.mark.parametrize(
    ("seconds", "words", "compact"),
    [
        (30, "30 s", "30s"),
        (5400, "1 h 30 min", "1h30m"),
        (0.25, "250 ms", "0.25s"),
        (1.5, "1.5 s", "1.5s"),
        (61.5, "1 min 2 s", "1m1.5s"),
        (172_800, "2 d", "2d"),
        (59.9999, "1 min", "59.9999s"),
        (0, "0 s", "0s"),
        (-5, "-5 s", None),
    ],
)
def test_a_duration_is_told(seconds: float, words: str, compact: str | None) -> None:
    assert format_duration(seconds) == words
    if compact is not None:
        assert compact_duration(seconds) == compact


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (123, 123),
        (4096.0, 4096),
        ("4096", 4096),
        ("64MB", 64 * 2**20),
        ("256 KB", 256 * 2**10),
        ("1.5GB", 3 * 2**29),
        ("2k", 2048),
        ("2KiB", 2048),
        ("10B", 10),
        ("1tb", 2**40),
    ],
)
def test_a_size_is_read_with_1024_bytes_to_the_kilobyte(written: object, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", [2**63, 10**400, 1e308, "9999999TB"])
def test_a_size_that_no_machine_has_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is more than any machine has"):
        parse_size(written)


@pytest.mark.parametrize("written", ["big", "", "MB", "-1", "1XB", "1.5.2MB", 1.5, True, None, float("nan")])
def test_what_is_no_size_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="is not a size; write 64MB, 256KB or a number of bytes"):
        parse_size(written)


@pytest.mark.parametrize(
    ("size", "words"),
    [(123, "123 B"), (1536, "1.5 KB"), (64 * 2**20, "64 MB"), (2**30, "1 GB"), (0, "0 B")],
)
def test_a_size_is_told(size: int, words: str) -> None:
    assert format_size(size) == words
