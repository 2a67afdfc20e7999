"""When a pause ends, as people write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.blanks import end_problem, read_end

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@given(st.integers(1, 10_000_000))
def test_a_duration_counts_from_now(seconds: int) -> None:
    assert read_end(f"{seconds}s", NOW) == NOW + timedelta(seconds=seconds)


def test_nothing_is_no_end() -> None:
    assert read_end("", NOW) is None


def test_a_time_without_offset_is_the_readers_own() -> None:
    end = NOW.astimezone() + timedelta(minutes=5)
    assert read_end(f"{end:%Y-%m-%dT%H:%M}", NOW) == end
    assert read_end("2026-03-01T14:00+01:00", NOW) == NOW + timedelta(hours=1)


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "25:00", "-2h", "0s", "2020-01-01", "9" * 15])
def test_what_is_no_time_to_come_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write 2h, 18:00"):
        read_end(text, NOW)
    assert end_problem(lambda: NOW)(text)
