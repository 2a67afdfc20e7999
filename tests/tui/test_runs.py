"""The list of all runs: what its filter means, and how it is paged, over a real engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.api.address import socket_in
from engine.api.client import AsyncClient
from engine.runfilter import RunFilter
from engine.states import FAILED, RunStatus, Trigger
from tests.engine.api.memory_engine import MemoryEngine
from tests.engine.conftest import Bench, OpenBench, open_bench, until
from tests.tui.conftest import Seat, Sit
from tui.model.filters import parse
from tui.model.kept import Kept
from tui.model.runfilters import read_filter, run_fits

__all__ = ["open_bench"]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAMES = ("report", "reporting", "admin/cleanup")

FAILING = """local job = core.job { tags = { team = "shop" }, on_error = "continue" }
function job.run(run)
  core.log.info("asking the till")
  if run.data and run.data.fail then error("no connection to the till") end
  return job.OK
end
return job
"""
JOBS = {"shop/till": FAILING, "report": FAILING.replace("shop", "office").replace("the till", "nobody")}


def wanted(text: str) -> RunFilter:
    asked = read_filter(text, NOW, NAMES)
    assert asked.problem == ""
    return asked.wanted


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {}),
        ("REPORT", {"job": "report"}),
        ("job:clean", {"job": "admin/cleanup"}),
        ("job:admin/*", {"job": "admin/*"}),
        ("repor", {"job": "*repor*"}),
        ("status:error", {"statuses": (RunStatus.ERROR,)}),
        ("status:time,crash", {"statuses": (RunStatus.TIMEOUT, RunStatus.CRASHED)}),
        ("trigger:start", {"triggers": (Trigger.START,)}),
        ("tag:team=Shop", {"tag": "team=Shop"}),
        ('text:"no connection" text:till', {"text": '"no connection" till'}),
        ("since:2h", {"since": NOW - timedelta(hours=2)}),
        ("since:2h until:30m", {"since": NOW - timedelta(hours=2), "until": NOW - timedelta(minutes=30)}),
        ("since:2026-02-01T10:00:00+00:00", {"since": datetime(2026, 2, 1, 10, tzinfo=UTC)}),
    ],
)
def test_the_engine_is_asked_what_was_typed(text: str, fields: dict[str, object]) -> None:
    assert wanted(text) == RunFilter(**fields)  # type: ignore[arg-type]


def test_failed_is_any_failure_and_not_wants_all_others() -> None:
    assert set(wanted("status:failed").statuses) == FAILED
    others = set(wanted("!status:failed").statuses)
    assert others == set(RunStatus) - FAILED - {RunStatus.PLANNED}
    assert Trigger.RETRY not in wanted("!trigger:retry").triggers


def test_a_time_of_day_is_one_of_today() -> None:
    since = wanted("since:09:30").since
    assert since is not None
    assert (since.astimezone().hour, since.astimezone().minute) == (9, 30)


def test_a_number_begins_the_list_with_that_run() -> None:
    assert read_filter("1742", NOW, NAMES).newest == 1742


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("since:soon", "'soon' is no time; write 2h"),
        ("status:lost", "no run has status:lost; there are"),
        ("status:error !status:error", "no run has status:error"),
        ("group:night", "group: cannot be asked of runs"),
    ],
)
def test_what_cannot_be_asked_is_said(text: str, words: str) -> None:
    assert words in read_filter(text, NOW, NAMES).problem


@pytest.mark.parametrize("text", ["since:", "text:", "job:", "!", 'text:"'])
def test_what_is_half_typed_asks_for_everything(text: str) -> None:
    assert wanted(text) == RunFilter()


def test_an_open_quote_holds_all_that_follows() -> None:
    assert [term.typed for term in parse('text:"no conn')] == ["no conn"]
    assert [term.typed for term in parse("http://shop")] == ["http://shop"]


async def test_what_the_engine_does_not_know_is_looked_for_here() -> None:
    engine = MemoryEngine()
    engine.add("report", tags={"team": "shop"})
    run = await engine.run_job("report", actor="x")
    rest = read_filter("!job:report", NOW, NAMES).rest
    assert not run_fits(run, rest, engine.views)
    assert run_fits(run, read_filter("!job:other !tag:office", NOW, NAMES).rest, engine.views)
    assert not run_fits(run, read_filter("!tag:shop", NOW, NAMES).rest, engine.views)


@asynccontextmanager
async def at_the_runs(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Bench, Seat]]:
    """Open the list of four runs, of which one failed."""
    async with open_bench(JOBS) as bench, sit(size=size) as seat:
        for name in JOBS:
            await bench.run(name)
        await bench.run("shop/till", {"fail": True})
        await bench.run("report")
        await seat.reads("shop/till", "report")
        await seat.press("h")
        await seat.reads("4 runs")
        yield bench, seat


async def filtered(seat: Seat, text: str, count: str) -> None:
    await seat.press("slash")
    seat.app.screen.query_one("FilterLine").value = ""  # type: ignore[attr-defined]
    await seat.type(text)
    await seat.press("enter")
    await seat.reads(count)


async def test_the_filter_looks_among_all_runs(open_bench: OpenBench, sit: Sit) -> None:
    async with at_the_runs(open_bench, sit) as (_, seat):
        await filtered(seat, "status:error", "1 run")
        await seat.reads("no connection")
        await filtered(seat, 'text:"no connection"', "1 run")
        await filtered(seat, "text:nobody", "2 runs")
        await filtered(seat, "tag:shop", "2 runs")
        await filtered(seat, "trigger:manual since:1h !job:till", "2 runs")
        await filtered(seat, "until:1h", "No run matches")
        await filtered(seat, "since:soon", "'soon' is no time")
        await seat.press("escape")
        await seat.reads("4 runs")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_the_list_says_how_to_leave_an_empty_filter(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with at_the_runs(open_bench, sit, size) as (_, seat):
        await filtered(seat, "status:timeout", "No run matches “status:timeout”")
        await seat.reads("Esc clears the filter")


async def test_the_filter_is_remembered(open_bench: OpenBench, sit: Sit, tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept.json")
    kept.put("runs.filter", "status:error")
    async with open_bench(JOBS) as bench, sit(kept=kept) as seat:
        await bench.run("report")
        await bench.run("shop/till", {"fail": True})
        await seat.reads("shop/till", "report")
        await seat.press("h")
        await seat.reads("status:error", "1 run", "✗ error")
        await seat.press("escape")
        await seat.reads("2 runs")
    assert Kept(tmp_path / "kept.json").get("runs.filter") == ""


async def test_o_opens_the_job_of_a_run(open_bench: OpenBench, sit: Sit) -> None:
    async with at_the_runs(open_bench, sit) as (_, seat):
        await seat.press("o")
        await seat.reads("jobs › report")


async def test_new_runs_move_neither_cursor_nor_marks_nor_filter(
    open_bench: OpenBench, sit: Sit, tmp_path: Path
) -> None:
    async with at_the_runs(open_bench, sit) as (_, seat):
        await filtered(seat, "job:till", "2 runs")
        await seat.press("space")
        grid = seat.app.screen.query_one("#runs")
        under, marked = grid.cursor_row.id, set(grid.marked)  # type: ignore[attr-defined]
        async with AsyncClient(socket_in(tmp_path), actor="bob@web2") as client:
            await client.run_job("shop/till")
        await seat.reads("3 runs")
        assert grid.cursor_row.id == under  # type: ignore[attr-defined]
        assert grid.marked == marked  # type: ignore[attr-defined]
        assert "job:till" in seat.text


async def test_the_wheel_brings_older_runs_too(
    open_bench: OpenBench, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.model.runpages.PAGE_RUNS", 10)
    monkeypatch.setattr("tui.model.runpages.ENOUGH", 10)
    async with open_bench(JOBS) as bench, sit(size=(80, 8)) as seat:
        for _ in range(25):
            await bench.run("report")
        await seat.reads("report")
        await seat.press("h")
        await seat.reads("10 runs", "older ones below")
        grid = seat.app.screen.query_one("#runs")
        grid.scroll_end(animate=False)
        await until(lambda: len(grid.rows) >= 20)  # type: ignore[attr-defined]
        grid.scroll_end(animate=False)
        await until(lambda: len(grid.rows) == 25)  # type: ignore[attr-defined]
