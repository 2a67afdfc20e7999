"""What keeps a job from running: disabled groups and pauses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Refused
from engine.jobs.jobfile import JobSettings, parse_settings
from engine.rules.holds import Hold, HoldKind, Holds, HoldScope
from engine.rules.lifecycle import JobState
from engine.states import Cause, JobStatus

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WAITING = JobState(JobStatus.WAITING, "every 2m", active=True, next_due=NOON)
IN_NIGHT = JobSettings(groups=("night", "shop"))


def off(group: str, note: str = "") -> Hold:
    return Hold(HoldKind.DISABLED, HoldScope.GROUP, group, note, "anna@web1", NOON)


def pause(scope: HoldScope, target: str = "", until: datetime | None = None) -> Hold:
    return Hold(HoldKind.PAUSED, scope, target, "", "anna@web1", NOON, until)


def holding(*holds: Hold) -> Holds:
    found = Holds()
    for hold in holds:
        found.put(hold)
    return found


def test_a_job_in_any_disabled_group_is_disabled_with_group_and_note() -> None:
    holds = holding(off("shop", "moving house"))
    shown = holds.standing("report", WAITING, IN_NIGHT, None)
    assert shown.status is JobStatus.DISABLED
    assert shown.reason == "group shop is disabled by anna@web1: moving house"
    assert shown.next_run is None


def test_a_job_outside_the_disabled_group_is_as_it_was() -> None:
    shown = holding(off("day")).standing("report", WAITING, IN_NIGHT, None)
    assert (shown.status, shown.reason, shown.next_run) == (JobStatus.WAITING, "every 2m", NOON)


def test_a_run_of_a_disabled_job_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refused, match=r"group night is disabled.*`moontide group enable night`"):
        holding(off("night")).refuse_disabled("report", IN_NIGHT)


def test_a_paused_job_keeps_its_status_and_says_so() -> None:
    shown = holding(pause(HoldScope.JOB, "report")).standing("report", WAITING, IN_NIGHT, None)
    assert (shown.status, shown.reason) == (JobStatus.WAITING, "paused by anna@web1")
    assert shown.next_run is None


def test_the_next_run_of_a_paused_job_is_shown_if_the_pause_is_over_by_then() -> None:
    holds = holding(pause(HoldScope.ENGINE, until=NOON - timedelta(minutes=1)))
    assert holds.standing("report", WAITING, None, None).next_run == NOON


@pytest.mark.parametrize(
    ("raw", "minutes"),
    [
        ({"every": "2m"}, 6),
        ({"every": "2m", "run_skipped": True}, 5),
        ({"at": ["2026-03-01T12:00:00"]}, None),
    ],
)
def test_the_next_run_of_a_paused_job_is_the_first_after_the_pause(
    raw: dict[str, object], minutes: int | None
) -> None:
    settings = parse_settings(raw)
    holds = holding(pause(HoldScope.ENGINE, until=NOON + timedelta(minutes=5)))
    shown = holds.standing("report", WAITING, settings, settings.schedule())
    assert shown.next_run == (NOON + timedelta(minutes=minutes) if minutes else None)


def test_an_inactive_job_says_that_even_while_it_is_paused() -> None:
    inactive = replace(WAITING, status=JobStatus.INACTIVE, reason="by operator", next_due=None)
    assert holding(pause(HoldScope.ENGINE)).standing("report", inactive, None, None).reason == "by operator"


def test_of_several_pauses_the_one_that_lasts_longest_is_told() -> None:
    holds = holding(
        pause(HoldScope.ENGINE, until=NOON), pause(HoldScope.GROUP, "night", NOON + timedelta(hours=1))
    )
    told = holds.paused("report", IN_NIGHT)
    assert told is not None
    assert told.words() == "group night is paused until 2026-03-01 13:00:00 UTC by anna@web1"


def test_a_due_time_is_skipped_for_the_group_or_the_pause() -> None:
    assert holding(off("night")).skip("report", IN_NIGHT, NOON).cause is Cause.GROUP  # type: ignore[union-attr]
    assert holding(pause(HoldScope.ENGINE)).skip("a", None, NOON).cause is Cause.PAUSED  # type: ignore[union-attr]
    assert holding(pause(HoldScope.JOB, "b")).skip("a", None, NOON) is None


HOLDS = st.builds(
    lambda kind, place, hours: Hold(
        kind, *place, "", "a", NOON, NOON + timedelta(hours=hours) if hours and kind == "paused" else None
    ),
    st.sampled_from(HoldKind),
    st.sampled_from(
        [(HoldScope.GROUP, "g"), (HoldScope.GROUP, "h"), (HoldScope.JOB, "a"), (HoldScope.ENGINE, "")]
    ),
    st.integers(0, 3),
)


@given(
    st.lists(st.tuples(st.booleans(), HOLDS)), st.sampled_from(["a", "b"]), st.sets(st.sampled_from("ghi"))
)
def test_a_job_is_held_exactly_while_some_hold_concerns_it(
    steps: list[tuple[bool, Hold]], job: str, groups: set[str]
) -> None:
    holds, present = Holds(), {}
    settings = JobSettings(groups=tuple(sorted(groups)))
    for put, hold in steps:
        if put:
            holds.put(hold)
            present[hold.key] = hold
        else:
            assert holds.take(hold.key) == present.pop(hold.key, None)
        concerned = [one for one in present.values() if one.concerns(job, settings)]
        found = holds.on(job, settings)
        assert (found in concerned) if concerned else found is None
        if found is not None and found.kind is HoldKind.PAUSED:
            assert all(one.kind is HoldKind.PAUSED for one in concerned)


def test_a_due_time_at_the_end_of_a_pause_is_not_skipped() -> None:
    holds = holding(pause(HoldScope.ENGINE, until=NOON))
    assert holds.skip("a", None, NOON) is None
    assert holds.skip("a", None, NOON - timedelta(microseconds=1)) is not None
