"""Plots over time: what they say of runs, and the screens that they stand on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.views import RunView
from tests.engine.api.memory_engine import _run_view
from tests.engine.conftest import OpenBench, open_bench, until
from tests.tui.conftest import Sit
from tui.timeplots import (
    Span,
    bars,
    duration_lines,
    failure_map,
    most_at_once,
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


def test_a_run_stands_in_the_columns_in_which_it_went_on() -> None:
    ((job, row),) = timeline_rows([run(10.2, 2.5)], HOUR, NOW)
    assert (job, row) == ("report", "·" * 10 + "███" + "·" * 47)


def test_a_failure_is_drawn_where_it_ended_and_never_hidden() -> None:
    ((_, row),) = timeline_rows([run(10.2, 2, "ERROR"), run(12.5, 0.1)], HOUR, NOW)
    assert row[10:14] == "██✗·"


def test_jobs_stand_in_the_order_in_which_they_began() -> None:
    rows = timeline_rows([run(30, job="later"), run(5, job="first")], HOUR, NOW)
    assert [job for job, _ in rows] == ["first", "later"]


def test_a_run_that_goes_on_reaches_to_now_and_one_outside_is_left_out() -> None:
    going = replace(run(58), finished=None, status="RUNNING")
    before = run(-5, 2, job="before")
    assert timeline_rows([going, before], HOUR, NOW) == [("report", "·" * 58 + "██")]


def test_a_run_that_never_started_says_so() -> None:
    skipped = replace(run(10, status="SKIPPED"), started=None)
    ((_, row),) = timeline_rows([skipped], HOUR, NOW)
    assert row[11] == "»"


def test_what_overlaps_is_counted_and_what_follows_is_not() -> None:
    overlapping = [run(10, 5), run(12, 5), run(12.5, 0.2)]
    counts = most_at_once(overlapping, HOUR, NOW)
    assert (counts[10], counts[12], counts[14], counts[16], counts[20]) == (1, 3, 2, 1, 0)
    one_by_one = [run(10 + n / 10, 0.1) for n in range(9)]
    assert max(most_at_once(one_by_one, HOUR, NOW)) == 1


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


def test_failures_are_counted_by_hour_of_the_readers_day_and_fit_80_columns() -> None:
    failed = [run(1, status="ERROR"), run(2, status="TIMEOUT"), run(3)]
    lines = plain(failure_map(failed, NOW, 7))
    here = (HOUR.since + timedelta(minutes=2)).astimezone()
    row = next(line for line in lines[1:] if line.startswith(here.strftime("%d.%m")))
    assert row[5 + 3 * here.hour : 8 + 3 * here.hour] == "  2"
    assert len(lines) == 8
    assert all(len(line) <= 77 for line in lines)


@pytest.mark.parametrize(("hours", "shown"), [(1, ":"), (24 * 7, "."), (0.1, ":")])
def test_the_axis_is_as_wide_as_the_plot(hours: float, shown: str) -> None:
    axis = time_axis(Span(NOW - timedelta(hours=hours), NOW, 60))
    assert len(axis) == 60
    assert shown in axis


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
