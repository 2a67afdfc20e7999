"""Reload from the dashboard: its plan first, and a real engine that carries it out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.events import EngineStateChanged
from engine.views import PlannedChangeView, ReloadPlanView
from tests.engine.conftest import Bench, OpenBench, open_bench, until
from tests.tui.conftest import Sit
from tui.deeds.reload import LINES_SHOWN, plan_lines
from tui.widgets.dialogs import Choice

__all__ = ["open_bench"]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

HOURLY = """local job = core.job { every = "1h" }
function job.run() return job.OK end
return job
"""
JOBS = {"goes": HOURLY, "breaks": HOURLY, "changes": HOURLY, "stays": HOURLY}


def change_folder(bench: Bench) -> None:
    bench.write("comes", HOURLY)
    bench.write("breaks", HOURLY.replace("every", "evry"))
    bench.write("changes", HOURLY.replace("1h", "2h"))
    (bench.jobs_folder / "goes.lua").unlink()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_plan_is_shown_first_and_cancel_changes_nothing(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench(JOBS) as bench, sit(size=size) as seat:
        await seat.reads("stays")
        change_folder(bench)
        await seat.press("ctrl+r")
        await seat.reads("Read the jobs folder again?", "✗ invalid  breaks", "evry", "- removed  goes")
        await seat.reads("+ added    comes", "~ changed  changes", "every; next", "1 job unchanged")
        assert isinstance(seat.app.focused, Choice)
        await seat.press("enter")
        await until(lambda: "Read the jobs" not in seat.text)
        assert {view.name for view in bench.desk.jobs()} >= {"goes", "breaks"}
        assert bench.desk.job("breaks").status == "WAITING"


async def test_a_yes_reloads_and_the_engine_says_so_while_it_does(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(JOBS) as bench, sit() as seat:
        await seat.reads("stays")
        change_folder(bench)
        bench.heard.clear()
        await seat.press("ctrl+r")
        await seat.reads("+ added    comes")
        await seat.press("y")
        await seat.reads("reloaded: 1 added, 2 changed", "1 file cannot be used: breaks")
        states = [event.state for event in bench.heard if isinstance(event, EngineStateChanged)]
        assert states == ["Reloading", "Running"]
        await seat.reads("● Running", "comes", "✗ invalid")
        assert "goes" not in seat.text


async def test_without_changes_the_question_says_so(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"stays": HOURLY}), sit() as seat:
        await seat.reads("stays")
        await seat.press("ctrl+r")
        await seat.reads("It is unchanged.", "1 job unchanged")


async def test_a_long_plan_scrolls_with_the_arrows(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"stays": HOURLY}) as bench, sit(size=(80, 24)) as seat:
        await seat.reads("stays")
        for number in range(40):
            bench.write(f"job{number:02}", HOURLY)
        await seat.press("ctrl+r")
        await seat.reads("+ added    job00", "Cancel", "Reload (y)")
        assert "job39" not in seat.text
        await seat.press(*["pagedown"] * 4)
        await seat.reads("+ added    job39", "Reload (y)")
        assert isinstance(seat.app.focused, Choice)


def test_what_is_more_than_a_person_reads_is_counted() -> None:
    change = PlannedChangeView("a", "added", [], "", "WAITING", "", None, NOW)
    lines = plan_lines(ReloadPlanView([change] * 1000, {}, 0), NOW)
    assert len(lines) < LINES_SHOWN + 5
    assert f"and {1000 - LINES_SHOWN} more" in lines
