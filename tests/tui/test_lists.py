"""The lists of alerts, groups, schedules, actions and plugins, with a real engine behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from engine.api.address import socket_in
from engine.api.client import AsyncClient
from tests.engine.conftest import ACTOR, Bench, OpenBench, open_bench, until
from tests.tui.conftest import READ_SECONDS, Seat, Sit

__all__ = ["open_bench"]

SIZES = [(80, 24), (120, 40), (200, 60)]

GOOD = """local job = core.job { every = "1h", groups = { "night", "shop" } }
function job.run() return job.OK end
return job
"""
BAD = """local job = core.job { every = "1h", groups = { "night" }, on_error = "continue" }
function job.run() error("no toys left") end
return job
"""
JOBS = {"report": GOOD, "broken": BAD}


class Open(Protocol):
    def __call__(
        self, *, size: tuple[int, int] = (80, 24)
    ) -> AbstractAsyncContextManager[tuple[Bench, Seat]]: ...


@pytest.fixture
def open_both(open_bench: OpenBench, sit: Sit) -> Open:
    """Start an engine with two jobs, and sit down in front of it."""

    @asynccontextmanager
    async def open_now(*, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Bench, Seat]]:
        async with open_bench(JOBS) as bench, sit(size=size) as seat:
            await seat.reads("report", "broken")
            yield bench, seat

    return open_now


async def fail(bench: Bench) -> None:
    await bench.run("broken")
    await until(lambda: bool(bench.desk.job("broken").alerts))


@pytest.mark.parametrize("size", SIZES)
async def test_an_alert_is_shown_everywhere_and_acknowledged(open_both: Open, size: tuple[int, int]) -> None:
    async with open_both(size=size) as (bench, seat):
        await fail(bench)
        await seat.reads("! 1 alert", "! broken", "1 needs attention")
        await seat.press("A")
        await seat.reads(" alerts", "! goes on", "failing", "no toys left", "seen 1×")
        await seat.press("x")
        await seat.reads("Acknowledge that broken is failing?")
        await seat.type("on it")
        await seat.press("enter")
        await seat.reads("· known", "anna@web1", "on it")


async def test_alerts_that_are_over_are_listed_when_asked_for(open_both: Open) -> None:
    async with open_both() as (bench, seat):
        await fail(bench)
        bench.write("broken", GOOD)
        await bench.reload()
        await bench.run("broken")
        await seat.press("A")
        await seat.reads("Nothing is wrong with any job.")
        await seat.press("v")
        await seat.reads("✓ over", "those that are over too")
        await seat.press("l")
        await seat.reads("runs › 1")
        await seat.press("escape", "enter")
        await seat.reads("jobs › broken")


@pytest.mark.parametrize("size", SIZES)
async def test_a_group_is_disabled_with_a_note_and_enabled(open_both: Open, size: tuple[int, int]) -> None:
    async with open_both(size=size) as (bench, seat):
        await seat.press("b")
        await seat.reads(" groups", "● enabled", "night", "shop", "broken, report")
        await seat.press("p")
        await seat.reads("Disable group night?")
        await seat.type("stocktaking")
        await seat.press("enter")
        await seat.reads("⊘ disabled", "by anna@web1: stocktaking")
        assert bench.desk.job("report").status == "DISABLED"
        await seat.press("p")
        await seat.reads("Enable group night?")
        await seat.press("y")
        await until(lambda: bench.desk.job("report").status == "WAITING")


async def test_a_group_is_paused_until_a_time_and_resumed(open_both: Open) -> None:
    async with open_both() as (bench, seat):
        await seat.press("b")
        await seat.reads("● enabled")
        await seat.press("z")
        await seat.type("soon")
        await seat.press("enter", "enter")
        await seat.reads("'soon' is no time", "write 2h")
        await seat.press(*["backspace"] * 4)
        await seat.type("2h")
        await seat.press("enter")
        await seat.type("quiet")
        await seat.press("enter")
        await seat.reads("¦ paused")
        left = bench.desk.job("report").paused_until
        assert left is not None
        assert timedelta(minutes=119) < left - datetime.now(UTC) <= timedelta(hours=2)
        await seat.press("z", "y")
        await until(lambda: not bench.desk.job("report").paused)


async def test_enter_on_a_group_lists_its_jobs(open_both: Open) -> None:
    async with open_both() as (_, seat):
        await seat.press("b")
        await seat.reads("● enabled")
        await seat.press("down", "enter")
        await seat.reads("group:shop", "report")
        assert "broken" not in seat.text


async def test_the_whole_engine_is_paused_and_the_first_line_says_so(open_both: Open) -> None:
    async with open_both() as (bench, seat):
        await seat.press("Z")
        await seat.reads("Pause the whole engine?")
        await seat.press("enter", "enter")
        await seat.reads("¦ engine paused", "¦ paused")
        await seat.press("Z")
        await seat.reads("Resume the engine?", "the engine is paused by anna@web1")
        await seat.press("y")
        await until(lambda: not bench.desk.job("report").paused)
        await until(lambda: "engine paused" not in seat.text)


async def test_many_jobs_are_paused_and_resumed_at_once(open_both: Open) -> None:
    async with open_both() as (bench, seat):
        await seat.press("slash")
        await seat.type("group:night")
        await seat.press("enter", "space", "space", "z")
        await seat.reads("Pause 2 jobs?", "broken", "report")
        await seat.press("enter")
        await seat.type("moving house")
        await seat.press("enter")
        await seat.reads("2 jobs paused", "¦ paused")
        # The events of the two come one after the other.
        await until(lambda: all(seat.app.board.jobs[name].paused for name in JOBS), READ_SECONDS)
        assert all("moving house" in bench.desk.job(name).paused for name in JOBS)
        await seat.press("z")
        await seat.reads("Resume 2 jobs?")
        await seat.press("y")
        await until(lambda: not any(bench.desk.job(name).paused for name in JOBS))


@pytest.mark.parametrize("size", SIZES)
async def test_what_operators_did_is_listed_and_filtered(open_both: Open, size: tuple[int, int]) -> None:
    async with open_both(size=size) as (bench, seat):
        await bench.desk.deactivate("report", actor=ACTOR)
        await bench.run("broken")
        await seat.press("a")
        await seat.reads(" audit", "tester@here", "deactivate", "report", "broken")
        await seat.press("slash")
        await seat.type("target:report")
        await seat.press("enter")
        await until(lambda: not any("broken" in line for line in seat.lines))
        await seat.reads("deactivate", "report")
        await seat.press("enter")
        await seat.reads("jobs › report")
        await seat.press("escape", "escape")
        await seat.reads("broken")


async def test_older_actions_come_when_the_cursor_reaches_the_end(
    open_both: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.listpage.PAGE_ROWS", 5)
    monkeypatch.setattr("tui.screens.audit.PAGE_ROWS", 5)
    async with open_both() as (bench, seat):
        for _ in range(4):
            await bench.desk.deactivate("report", actor=ACTOR)
            await bench.desk.activate("report", actor=ACTOR)
        await bench.desk.deactivate("broken", actor=ACTOR)
        await seat.press("a")
        await seat.reads("broken")
        grid = seat.app.screen.query_one("#rows")
        await seat.press("end")
        await until(lambda: len(grid.rows) == 9)  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", SIZES)
async def test_a_schedule_given_at_run_time_is_listed_and_removed(
    open_both: Open, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with open_both(size=size) as (_, seat):
        async with AsyncClient(socket_in(tmp_path), actor="bob@web2") as client:
            await client.schedule_cron_job("report", every="10m", tag="extra", data={"shop": 3})
        await seat.press("c")
        await seat.reads(" schedules", "● active", "every 10m", "bob@web2", "extra", '"shop": 3')
        await seat.press("d")
        await seat.reads("Remove schedule 1 of report?")
        await seat.press("y")
        await seat.reads("No schedule was given at run time.")
        await seat.press("v")
        await seat.reads("† cancelled", "every 10m")


@pytest.mark.parametrize("size", SIZES)
async def test_plugins_say_what_they_add(open_both: Open, size: tuple[int, int]) -> None:
    async with open_both(size=size) as (_, seat):
        await seat.press("P")
        await seat.reads(" plugins", "✓ loaded", "core.")


@pytest.mark.parametrize("size", SIZES)
async def test_the_engine_tells_of_itself(open_both: Open, size: tuple[int, int]) -> None:
    async with open_both(size=size) as (bench, seat):
        await seat.press("i")
        await seat.reads("● Running", "database", "journal")
        # A long path stands on two lines.
        assert str(bench.engine.home) in "".join(seat.text.split())


async def test_the_filter_knows_groups_alerts_and_pauses(open_both: Open) -> None:
    async with open_both() as (bench, seat):
        await fail(bench)
        await seat.reads("! broken")
        await seat.press("slash")
        await seat.type("alert:failing")
        await until(lambda: "report" not in "\n".join(seat.lines[2:]))
        assert "broken" in seat.text
        await seat.press("escape", "slash")
        await seat.type("group:shop")
        await until(lambda: "broken" not in "\n".join(seat.lines[2:]))
        await seat.press("enter", "z", "enter", "enter")
        await seat.reads("¦ paused")
        await seat.press("escape", "slash")
        await seat.type("status:paused")
        await until(lambda: "broken" not in "\n".join(seat.lines[2:]))
        assert "report" in seat.text


@pytest.mark.parametrize(
    "name", ["Alerts: what", "Groups of", "Schedules given", "Audit", "Plugins", "Information"]
)
async def test_every_list_is_in_the_list_of_actions(open_both: Open, name: str) -> None:
    async with open_both() as (_, seat):
        await seat.press("ctrl+p")
        await seat.type(name)
        await seat.press("enter")
        await until(lambda: len(seat.app.screen_stack) == 3)
        await seat.press("question_mark")
        await seat.reads("Here", "Everywhere")
