"""What the calls of a run took is told in their order, and of however many in few lines."""

from __future__ import annotations

from itertools import groupby
from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from engine.calls.tally import MOST, MOST_CHARACTERS, OTHERS, Tally

CALLS = st.lists(
    st.tuples(st.sampled_from(["data.get", "mysql.select", "kv.put"]), st.booleans()), max_size=400
)


@given(CALLS)
def test_calls_of_one_function_after_another_are_one_line(calls: list[tuple[str, bool]]) -> None:
    tally = Tally()
    for function, fails in calls:
        tally.add(function, perf_counter(), "no" if fails else None)
    lines = tally.listed or []
    whole = [(function, list(group)) for function, group in groupby(calls, key=lambda call: call[0])]
    assert [line["call"] for line in lines] == [
        *(function for function, _ in whole[:MOST]),
        *([OTHERS] if len(whole) > MOST else []),
    ]
    assert [line["count"] for line in lines[:MOST]] == [len(group) for _, group in whole[:MOST]]
    assert sum(line["count"] for line in lines) == len(calls)
    assert sum(line["failed"] for line in lines) == sum(fails for _, fails in calls)
    assert all((line["error"] == "no") == (line["failed"] > 0) for line in lines)


def test_each_line_says_when_it_began_and_how_long_its_calls_took() -> None:
    tally = Tally()
    now = perf_counter()
    tally.add("http.get", now - 2)
    tally.add("http.get", now - 5)
    [line] = tally.listed or []
    assert 7000 <= line["ms"] < 7000 + 60_000
    assert 5000 <= line["longest_ms"] <= line["ms"] - 2000
    assert line["at_ms"] <= -1000


def test_words_of_the_runs_own_making_are_cut_and_legible() -> None:
    tally = Tally()
    tally.add("x\x1b[2J" + "y" * 1000, perf_counter(), "\x1b" + "z" * 1000)
    [line] = tally.listed or []
    for text in (line["call"], line["error"]):
        assert len(text) == MOST_CHARACTERS
        assert "\x1b" not in text


def test_a_run_without_calls_lists_none() -> None:
    assert Tally().listed is None
    assert Tally().so_far == []


def test_while_a_run_goes_on_the_call_that_it_waits_for_is_the_last_line() -> None:
    tally = Tally()
    tally.add("http.get", perf_counter())
    tally.asked = "http.get", perf_counter() - 2
    answered, waited_for = tally.so_far
    assert (answered["count"], "going" in answered) == (1, False)
    assert (waited_for["call"], waited_for["count"], waited_for["going"]) == ("http.get", 1, True)
    assert waited_for["ms"] == waited_for["longest_ms"] >= 2000
    assert [line["count"] for line in tally.listed or []] == [1]


def test_a_call_that_is_over_is_waited_for_no_more() -> None:
    tally = Tally()
    tally.asked = "http.get", perf_counter()
    tally.add("http.get", perf_counter())
    assert tally.so_far == tally.listed
