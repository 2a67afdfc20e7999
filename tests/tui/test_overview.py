"""The lists of settings, library modules and planned times, and the origins on the page of a job."""

from __future__ import annotations

import pytest

from tests.engine.conftest import ACTOR, OpenBench, open_bench, until
from tests.tui.conftest import Sit

__all__ = ["open_bench"]

SIZES = [(80, 24), (120, 40), (200, 60)]

REPORT = """local money = require "lib.money"
local job = core.job { every = "1s", description = "Count" }
function job.run() return job.OK end
return job
"""
JOBS = {
    "report": REPORT,
    "stopper": REPORT.replace("return job.OK", "return job.STOP"),
    "lib/money": "return { tax = 19 }\n",
}


@pytest.mark.parametrize("size", SIZES)
async def test_the_engines_settings_tell_where_they_come_from(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench(JOBS, toml="[pool]\nsize = 3\n"), sit(size=size) as seat:
        await seat.reads("report")
        await seat.press("comma")
        await seat.reads(" settings", "timezone", "default", "UTC", "MOONTIDE_JOBS")
        await seat.press("v")
        await seat.reads("pool.size", "moontide.toml", "3", "Runs at once")
        assert "timezone" not in seat.text
        await seat.press("y")
        await seat.reads("copied: pool.size")
        await seat.press("v")
        await seat.reads("timezone")


@pytest.mark.parametrize("size", SIZES)
async def test_the_library_lists_modules_their_users_and_their_code(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench(JOBS) as bench, sit(size=size) as seat:
        await seat.reads("report")
        await seat.press("L")
        await seat.reads(" library", "● in use", "lib.money", "report, stopper", "lib/money.lua")
        bench.write("lib/money", "return { tax = 7 }\n")
        await seat.press("r")
        await seat.reads("! changed")
        await seat.press("enter")
        await seat.reads("library › lib.money", "tax = 7")
        await seat.press("escape", "o")
        await seat.reads("job:report,stopper")


async def test_without_modules_the_library_says_what_one_is(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({}), sit() as seat:
        await seat.reads("moontide/cleanup")
        await seat.press("L")
        await seat.reads("There are no modules.", 'require "lib.money"')


@pytest.mark.parametrize("size", SIZES)
async def test_planned_times_of_all_jobs_tell_what_became_of_them(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench(JOBS) as bench, sit(size=size) as seat:
        await until(lambda: bool(bench.ends("report")) and bool(bench.ends("stopper")))
        await seat.reads("stopper")
        await seat.press("w")
        await seat.reads(" why", "✓ ran", "report", "stopper")
        await seat.press("v")
        await seat.reads("only what was late, skipped or missed", "» skipped", "stopper")
        # Rows of a busy machine, late or skipped too, may stand above it.
        grid = seat.app.screen.query_one("#rows")
        rows = grid.rows  # type: ignore[attr-defined]
        slot = next(row for row in rows if row.job == "stopper" and row.fate == "skipped")
        grid.go_to((slot.job, slot.due, slot.run))  # type: ignore[attr-defined]
        await seat.press("enter")
        await seat.reads("no run was made for it")
        await seat.press("o")
        await seat.reads("jobs › stopper")


async def test_more_times_of_one_moment_than_a_page_has_are_all_listed(
    open_bench: OpenBench, sit: Sit
) -> None:
    text = REPORT.replace('every = "1s"', 'at = "2099-01-01T00:00:00"')
    names = [f"job{number}" for number in range(130)]
    files = {"lib/money": JOBS["lib/money"]} | dict.fromkeys(names, text)
    async with open_bench(files) as bench, sit() as seat:
        for name in names:
            bench.write(name, text.replace("2099", "2100"))
        await bench.reload()
        assert len(await bench.desk.ledger.slots(None, limit=200)) == len(names)
        await seat.reads("job1")
        await seat.press("w")
        await seat.reads(" why", "job108", "superseded")
        grid = seat.app.screen.query_one("#rows")
        await seat.press("end")
        await until(lambda: len(grid.rows) == len(names), 60)  # type: ignore[attr-defined]


async def test_new_planned_times_leave_the_cursor_on_its_row(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench(JOBS) as bench, sit() as seat:
        await until(lambda: len(bench.ends("report")) > 1)
        await seat.reads("report")
        await seat.press("w")
        await seat.reads("✓ ran")
        await seat.press("down")
        grid = seat.app.screen.query_one("#rows")
        under, before = grid.cursor_row, len(grid.rows)  # type: ignore[attr-defined]
        await until(lambda: len(grid.rows) > before + 1)  # type: ignore[attr-defined]
        now = grid.cursor_row  # type: ignore[attr-defined]
        assert (now.job, now.due) == (under.job, under.due)


@pytest.mark.parametrize("size", SIZES)
async def test_a_jobs_settings_tell_whether_file_operator_or_default_gave_them(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench(JOBS) as bench, sit(size=size) as seat:
        await bench.desk.overrides.set("report", {}, {"every": "1h"}, actor=ACTOR)
        await seat.reads("report")
        await seat.press("slash", *"report", "enter", "enter")
        await seat.reads("jobs › report")
        await seat.press("4")
        await seat.reads("the file says 1s", "Count")
        assert "operator" in seat.line_with("every ")
        assert " file " in seat.line_with("description ")
        assert " default " in seat.line_with("cron ")
