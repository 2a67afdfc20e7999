"""How much of a long work goes into one transaction."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.runs.pace import LEAST, MOST_SECONDS, Pace


def after(pace: Pace, seconds_each: float, parts: int = 20) -> int:
    """Return the size after some parts whose every row takes so long."""
    for _ in range(parts):
        pace.took(seconds_each * pace.size)
    return pace.size


@given(st.floats(1e-7, 1e-1))
def test_a_part_comes_to_take_as_long_as_it_may_or_is_the_least(seconds_each: float) -> None:
    size = after(Pace(1000), seconds_each)
    assert size == LEAST or size * seconds_each <= MOST_SECONDS
    assert size == 1000 or 4 * size * seconds_each >= MOST_SECONDS


@given(st.floats(1e-7, 1e-1), st.floats(1e-7, 1e-1))
def test_it_follows_what_became_quicker_or_slower(before: float, seconds_each: float) -> None:
    pace = Pace(1000)
    after(pace, before)
    size = after(pace, seconds_each)
    assert size == LEAST or size * seconds_each <= MOST_SECONDS
    assert size == 1000 or 4 * size * seconds_each >= MOST_SECONDS


@given(st.integers(1, 1000), st.lists(st.floats(0, 10)))
def test_it_keeps_its_bounds(most: int, seconds: list[float]) -> None:
    pace = Pace(most)
    for one in seconds:
        pace.took(one)
        assert min(LEAST, most) <= pace.size <= most
