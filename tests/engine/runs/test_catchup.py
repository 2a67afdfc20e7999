"""What is still to be made up for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.rules.slots import Slot
from engine.runs.catchup import is_open
from engine.runs.job import LastRun
from engine.states import Cause, Fate, RunStatus

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HELD = Slot("a", NOON, NOON, NOON + HOUR, 2, Fate.SKIPPED, Cause.PAUSED, "paused")


@pytest.mark.parametrize("cause", Cause)
def test_only_what_passed_without_an_engine_or_while_the_job_was_held_is_made_up_for(cause: Cause) -> None:
    made_up = cause in (Cause.PAUSED, Cause.GROUP, Cause.DOWN)
    assert is_open(replace(HELD, cause=cause), None) is made_up


def test_what_a_run_stands_for_is_not_made_up_for_again() -> None:
    assert not is_open(replace(HELD, run_id=7), None)


@pytest.mark.parametrize(("started", "made_up"), [(NOON, True), (NOON + 2 * HOUR, False)])
def test_times_before_the_last_run_of_the_job_are_an_old_story(started: datetime, made_up: bool) -> None:
    assert is_open(HELD, LastRun(1, started, RunStatus.COMPLETE, "OK")) is made_up
