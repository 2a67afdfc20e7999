"""Requests for schedules at run time: what is taken, and what is refused in which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ScheduleError
from engine.rules.given import OWN, PASSED, RULE, TERMS, TIMES, Order, Reading, parse_order, schedule_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMED = {"night": "0 3 * * *"}


def order(timezone: str = "UTC", **raw: Any) -> Order:
    return parse_order(raw, job="report", now=NOW, reading=Reading(timezone, NAMED))


def test_a_delay_means_one_run_after_it() -> None:
    found = order(after="10m", user_id=7, data={"n": 1}, tag="x")
    assert (found.due, found.schedule, found.rule) == (NOW + timedelta(minutes=10), None, None)
    assert (found.user_id, found.data, found.tag) == (7, {"n": 1}, "x")
    assert found.words == "once at 2026-03-02T12:10:00+00:00"


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-12-24T18:00:00", "2026-12-24T17:00:00+00:00"),
        ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00+00:00"),
        (1798135200, "2026-12-24T18:00:00+00:00"),
        ("2001-01-01T00:00:00Z", "2001-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_counts_in_the_zone_unless_it_has_an_offset(at: object, due: str) -> None:
    assert order("Europe/Berlin", at=at).due == datetime.fromisoformat(due)


def test_a_cron_line_is_due_by_the_rules_of_job_files_in_the_zone_that_is_kept() -> None:
    found = order("Europe/Berlin", cron="0 9 * * MON-FRI", retries="unlimited", retry_delay="30s")
    assert found.rule == {"cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin"}
    assert found.due == datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert (found.retries, found.retry_delay) == ("unlimited", 30)
    again = schedule_of(found.rule, job="report", reading=Reading())
    assert again == found.schedule


def test_what_is_not_given_is_left_to_the_job() -> None:
    found = order(every="1h")
    assert (found.retries, found.retry_delay, found.remove_after) == (None, None, None)
    assert found.run_skipped is None


def test_a_line_of_the_operator_may_be_named() -> None:
    assert order(cron="cron.night").due == datetime(2026, 3, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "it does not say when; give one of cron, every, at, after"),
        ({"cron": "* * * * *", "at": "2026-12-24T18:00:00"}, "both cron and at are given"),
        ({"cron": "61 * * * *"}, 'cron = "61 \\* \\* \\* \\*"'),
        ({"cron": "cron.noon"}, "no schedule is called 'noon'"),
        ({"every": "0.2s"}, 'every = "0.2s"'),
        ({"after": "soon"}, "after: 'soon' is not a duration"),
        ({"after": -1}, "after: the delay must be between 0 and ten years"),
        ({"at": "tomorrow"}, "'tomorrow' is no date"),
        ({"at": 1798135200000}, "more than ten years ahead"),
        ({"at": True}, "at: must be text such as"),
        ({"after": "1h", "starts": "2026-12-24T18:00:00"}, "starts goes with cron or every, not with after"),
        ({"after": "1h", "run_skipped": True}, "run_skipped goes with cron or every, not with after"),
        ({"every": "1h", "run_skipped": "x"}, 'run_skipped = "x"'),
        ({"every": "1h", "expires": "2020-01-01T00:00:00"}, "it is never due from now on"),
        ({"after": 1, "user_id": "x"}, 'user_id = "x": must be a whole number'),
        ({"after": 1, "tag": "a\nb"}, "tag = .*: must be text of at most 100 characters"),
        ({"after": 1, "retries": -1}, "retries = -1: must be a whole number"),
        ({"after": 1, "remove_after": -5}, "remove_after: must be from 0"),
        ({"after": 1, "remove_after": "x"}, "remove_after: 'x' is not a duration"),
        ({"after": 1, "crn": "x"}, "unknown option 'crn'; did you mean cron?"),
        ({"after": 1, "timezone": "Mars"}, "there is no time zone"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_is_allowed(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        parse_order(raw, job="report", now=NOW, reading=Reading(named=NAMED))


_anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.text(max_size=8), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(["1h", "@daily", "* * * * *", "2027-01-01T00:00:00", "UTC", "once", "cron.night"]),
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*RULE, *TERMS, *PASSED, *OWN]), _anything, max_size=4))
def test_anything_is_either_taken_or_refused_in_words(raw: dict[str, Any]) -> None:
    try:
        found = parse_order(raw, job="report", now=NOW, reading=Reading(named=NAMED))
    except ScheduleError:
        return
    assert sum(raw.get(name) is not None for name in TIMES) == 1
    assert found.due.tzinfo is not None
    assert found.schedule is None or found.due > NOW
