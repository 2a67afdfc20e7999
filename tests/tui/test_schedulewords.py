"""Schedules in few words."""

from __future__ import annotations

import pytest

from tui.look.schedulewords import brief_schedule, said_schedule

SAID = {
    "0 3 * * *": "daily 03:00",
    "30 9 * * MON-FRI": "Mon-Fri 09:30",
    "30 9 * * 1-5": "Mon-Fri 09:30",
    "0 0 18 ? * FRI": "Fri 18:00",
    "15 22 * * 1,4": "Mon,Thu 22:15",
    "0 4 1 * *": "day 1 04:00",
    "5 * * * *": "hourly :05",
    "*/15 * * * *": "every 15m",
    "* * * * *": "every 1m",
    "10 */6 * * *": "every 6h :10",
    "@midnight": "daily 00:00",
    "@weekly": "Sun 00:00",
}

#: For these there are no few words that would be true.
UNSAID = [
    "*/7 * * * *",
    "0 */5 * * *",
    "0 3 13 * FRI",
    "0 3 * 12 *",
    "0 9-17 * * *",
    "0 0 3 * * MON#2",
    "30 0 3 * * *",
    "0 3 L * *",
    "0 3 * * 1-3,5",
    "*/15 * * * MON",
]


@pytest.mark.parametrize("line", SAID)
def test_plain_cron_lines_are_said_in_words_that_fit_their_column(line: str) -> None:
    full = f"cron {line} (Europe/Berlin)"
    assert brief_schedule(full) == SAID[line]
    assert len(SAID[line]) <= 15
    assert said_schedule(full) == f"{SAID[line]}: {full}"


@pytest.mark.parametrize("line", UNSAID)
def test_other_cron_lines_stay_as_they_were_written(line: str) -> None:
    assert brief_schedule(f"cron {line} (UTC, dst skip)") == line
    assert said_schedule(f"cron {line} (UTC)") == f"cron {line} (UTC)"


@pytest.mark.parametrize("schedule", ["every 2m", "once", "at 2026-12-24T18:00:00+00:00", "", "cron broken"])
def test_all_else_is_left_alone(schedule: str) -> None:
    assert brief_schedule(schedule) == said_schedule(schedule) == schedule


def test_what_is_said_behind_a_cron_line_stays() -> None:
    assert brief_schedule("cron 0 3 * * * (UTC), 20s later") == "daily 03:00, 20s later"
