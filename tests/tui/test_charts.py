"""Plots over time: what they say of runs, and the screens that they stand on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.views import (
    FailuresView,
    JobTimelineView,
    RunView,
    StepFailuresView,
    TimelinePartView,
)
from tests.engine.api.memory_engine import _run_view
from tests.engine.conftest import OpenBench, open_bench, until
from tests.tui.conftest import Sit
from tests.tui.showcase import zone_of
from tui.charts.timeplots import (
    Span,
    bars,
    days_before,
    duration_lines,
    failure_map,
    outcome_lines,
    time_axis,
    timeline_rows,
)

__all__ = ["open_bench"]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
#: A column is a minute.
HOUR = Span(NOW - timedelta(hours=1), NOW, 60)


def run(minute: float, minutes: float = 1, status: str = "COMPLETE", job: str = "report") -> RunView:
    """Return a run that began so many minutes after the span, and took so long."""
    started = HOUR.since + timedelta(minutes=minute)
    ended = started + timedelta(minutes=minutes)
    times = {"due": started, "started": started, "finished": ended, "duration_ms": minutes * 60_000}
    return replace(_run_view(round(minute * 10) + 1, job, None, 0), status=status, **times)


def plain(lines: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def row_of(*parts: tuple[int, int, str]) -> str:
    ((_, row),) = timeline_rows([JobTimelineView("report", [TimelinePartView(*part) for part in parts])], 20)
    return row


def test_a_run_stands_in_the_columns_in_which_it_went_on() -> None:
    assert row_of((10, 12, "ran")) == "·" * 10 + "███" + "·" * 7


def test_a_failure_is_drawn_where_it_ended_and_never_hidden() -> None:
    assert row_of((10, 12, "failed"), (12, 13, "ran"), (12, 12, "skipped")) == "·" * 10 + "██✗█" + "·" * 6


def test_a_run_that_never_started_says_so_where_no_other_ran() -> None:
    assert row_of((3, 3, "skipped"), (5, 5, "skipped"), (5, 5, "ran")) == "···»·█" + "·" * 14


def test_bars_show_the_least_and_end_at_the_most() -> None:
    assert bars([0, 1, 50, 100], 2) == ["   █", " ▁██"]
    assert bars([0, 0], 1) == ["  "]


def test_durations_have_a_scale_and_mark_failures() -> None:
    lines = plain(duration_lines([run(3, 2), run(2, 1, "ERROR"), run(1, 1)], 60, 4))
    assert lines[0].startswith("   2m00s")
    assert lines[0].endswith("█")
    assert lines[4].rstrip() == "  failed  ✗"
    assert "3 runs" in lines[5]


def test_outcomes_are_counted_by_kind() -> None:
    lines = plain(outcome_lines([run(1), run(2), run(3, status="TIMEOUT"), run(4, status="SKIPPED")], HOUR))
    assert [line.split()[0] for line in lines[:3]] == ["complete", "failed", "other"]
    assert [line.split()[-1] for line in lines[:3]] == ["2", "1", "1"]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Europe/Berlin"])
def test_failures_are_counted_by_hour_of_the_readers_day_and_fit_80_columns(zone: str) -> None:
    with zone_of(zone):
        quarter = timedelta(minutes=15)
        since = days_before(NOW, 7)
        last = (NOW - since) // quarter
        failures = FailuresView([StepFailuresView(*one) for one in ((0, 1), (last - 1, 2), (last, 3))], [])
        lines = plain(failure_map(failures, quarter, NOW, 7))
        assert lines[7].startswith(since.strftime("%m-%d") + "  1  ·")
        for number in (last - 1, last):
            at = since + number * quarter
            assert lines[1][5 + 3 * at.hour : 8 + 3 * at.hour].strip() in ("2", "3", "5")
        assert sum(int(cell) for cell in lines[1][5:].split() if cell.isdigit()) == 5
    assert len(lines) == 8
    assert all(len(line) <= 77 for line in lines)


@pytest.mark.parametrize(("hours", "shown"), [(1, ":"), (24 * 7, "-"), (0.1, ":")])
def test_the_axis_is_as_wide_as_the_plot(hours: float, shown: str) -> None:
    axis = time_axis(Span(NOW - timedelta(hours=hours), NOW, 60))
    assert len(axis) == 60
    assert shown in axis


@pytest.mark.parametrize(
    ("hours", "columns", "labels"),
    [
        (24, 58, "15:00 18:00 21:00 03-01 03:00 06:00 09:00"),
        (24 * 7, 58, "02-23 02-24 02-25 02-26 02-27 02-28 03-01"),
        (1, 58, "11:10 11:20 11:30 11:40 11:50"),
        (0.01, 58, "11:59:30 11:59:40 11:59:50"),
    ],
)
def test_the_axis_has_round_times_and_at_midnight_the_date(hours: float, columns: int, labels: str) -> None:
    with zone_of("UTC"):
        since = NOW - timedelta(hours=hours)
        axis = time_axis(Span(since, NOW, columns))
        assert " ".join(axis.split()).endswith(labels)


def test_a_time_on_the_axis_stands_below_its_column() -> None:
    with zone_of("UTC"):
        span = Span(NOW - timedelta(hours=5, minutes=13), NOW, 100)
        at = span.column(NOW - timedelta(hours=2))
        assert time_axis(span)[at : at + 5] == "10:00"


JOBS = {
    "report": """local job = core.job { every = "1h" }
function job.run() return job.OK end
return job
""",
    "broken": """local job = core.job { every = "1h", on_error = "continue" }
function job.run() error("no toys left") end
return job
""",
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_charts_show_what_ran_and_what_failed(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench(JOBS) as bench, sit(size=size) as seat:
        for name in JOBS:
            await bench.run(name)
        await seat.reads("report", "broken")
        await seat.press("C")
        await seat.reads("at once, most 1", "✗ failed")
        assert "✗" in seat.line_with("broken")
        assert "█" in seat.line_with("report")
        before = seat.lines[1]
        await seat.press("plus")
        await until(lambda: seat.lines[1] != before)
        await seat.press(*["left"] * 4)
        await seat.reads("Nothing ran in this time.")
        await seat.press(*["right"] * 4)
        await seat.reads("at once, most 1")
        await seat.press("2")
        await seat.reads("most failures", "    1  broken", " 23")


async def test_the_page_of_a_job_has_charts(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(JOBS) as bench, sit() as seat:
        await bench.run("broken")
        await seat.reads("broken")
        await seat.press("slash", *"broken", "enter", "enter")
        await seat.reads("jobs › broken")
        await seat.press("7")
        await seat.reads("how long runs took", "failed", "how runs ended", "1 run")


async def test_without_runs_the_charts_say_what_to_do(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(JOBS), sit() as seat:
        await seat.reads("broken")
        await seat.press("C")
        await seat.reads("Nothing ran in this time.")
        await seat.press("2")
        await seat.reads("No run failed in the last 7 days.")
