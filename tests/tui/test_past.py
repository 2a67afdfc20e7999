"""What the pages of a job and of a run show beside log and settings, with a real engine behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.api.address import socket_in
from engine.api.client import AsyncClient
from tests.engine.conftest import ACTOR, OpenBench, open_bench, until
from tests.tui.conftest import Seat, Sit

pytestmark = pytest.mark.long

__all__ = ["open_bench"]

SIZES = [(80, 24), (120, 40), (200, 60)]

REPORT = """local job = core.job {
  every = "1h", groups = { "night" }, retries = 1, retry_delay = "100ms", on_error = "continue",
}
function job.run(run)
  job.warn("LOW", "few toys left")
  job.persist({ shop = 3 })
  error("no toys left")
end
return job
"""

ONCE = REPORT.replace('retries = 1, retry_delay = "100ms", ', "")


async def open_job(seat: Seat, name: str) -> None:
    await seat.reads(name)
    await seat.press("slash")
    await seat.type(f"job:{name}")
    await seat.press("enter", "enter")
    await seat.reads(f"jobs › {name}")


@pytest.mark.parametrize("size", SIZES)
async def test_a_jobs_page_tells_of_alerts_groups_and_given_schedules(
    open_bench: OpenBench, sit: Sit, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with open_bench({"report": ONCE}) as bench, sit(size=size) as seat:
        await bench.run("report")
        await until(lambda: bool(bench.desk.job("report").alerts))
        async with AsyncClient(socket_in(tmp_path), actor="bob@web2") as client:
            await client.schedule_cron_job("report", every="10m")
        await open_job(seat, "report")
        await seat.reads("! failing")
        # On a small screen what stands below the error is a page further.
        await seat.press("pagedown")
        await seat.reads("night", "schedules given at run time", "1 by bob@web2")
        await seat.press("home", "x")
        await seat.reads("Acknowledge that report is failing?")
        await seat.press("enter")
        await seat.reads("known to anna@web1")


async def test_a_job_is_paused_and_resumed_on_its_page(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": REPORT}) as bench, sit() as seat:
        await open_job(seat, "report")
        await seat.press("z", "enter")
        await seat.type("moving house")
        await seat.press("enter")
        await seat.reads("¦ paused", "by anna@web1: moving house")
        await seat.press("z", "y")
        await until(lambda: not bench.desk.job("report").paused)
        await until(lambda: "¦" not in seat.text)


@pytest.mark.parametrize("size", SIZES)
async def test_the_why_tab_tells_what_became_of_planned_times(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    text = REPORT.replace('"1h"', '"1s"').replace('error("no toys left")', "return job.OK")
    async with open_bench({"report": text}) as bench, sit(size=size) as seat:
        await until(lambda: bool(bench.ends("report")))
        await open_job(seat, "report")
        await seat.press("5")
        await seat.reads("PLANNED FOR", "✓ ran")
        await seat.press("end", "enter")
        await seat.reads("runs › ")


@pytest.mark.parametrize("size", SIZES)
async def test_state_data_is_shown_set_and_cleared(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench({"report": REPORT}) as bench, sit(size=size) as seat:
        await bench.run("report")
        await open_job(seat, "report")
        await seat.press("6")
        await seat.reads("LASTING", '"shop": 3', "nothing is kept")
        await seat.press("v", "right", "right", "enter")
        await seat.reads("Set the lasting state of report", '{"shop": 3}')
        await seat.press("end", "backspace")
        await seat.press("enter")
        await seat.reads("it is not JSON")
        await seat.press("backspace")
        await seat.press("4", "right_curly_bracket", "enter")
        await seat.reads('"shop": 4', "by an operator")
        await seat.press("v", *["right"] * 4, "enter")
        await seat.reads("Clear the lasting state of report?")
        await seat.press("y")
        await until(lambda: seat.text.count("nothing is kept") == 2)
        assert (await bench.desk.states.show("report", lasting=True)).value is None


@pytest.mark.parametrize("size", SIZES)
async def test_a_run_shows_its_problems_and_leads_to_the_other_attempts(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench({"report": REPORT}) as bench, sit(size=size) as seat:
        first = await bench.run("report")
        await until(lambda: len(bench.ends("report")) == 2)
        await open_job(seat, "report")
        await seat.press("l", "2")
        await seat.reads("retry of", f"run {first.id}", "PROBLEMS", "! LOW: few toys left")
        await seat.press("left_square_bracket")
        await seat.reads(f"runs › {first.id}")
        await seat.press("2")
        await seat.reads("attempt 1")
        await seat.press("left_square_bracket")
        await seat.reads("this is the first attempt")
        await seat.press("right_square_bracket", "2")
        await seat.reads("attempt 2")


@pytest.mark.parametrize("size", SIZES)
async def test_a_run_shows_the_code_that_it_ran_and_what_changed_since(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench({"report": ONCE}) as bench, sit(size=size) as seat:
        await bench.run("report")
        bench.write("report", ONCE.replace("no toys left", "no dolls left"))
        await bench.desk.reload(None, actor=ACTOR)
        await open_job(seat, "report")
        await seat.press("l", "3")
        await seat.reads('error("no toys left")')
        await seat.press("4")
        await seat.reads('-  error("no toys left")', '+  error("no dolls left")')


SHOPKEEPER = """local job = core.job {}
function job.run(run) while not job.stopping() do core.sleep(0.05) end return job.OK end
return job
"""


async def test_all_answers_to_a_question_are_there_at_80_columns(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": REPORT}), sit() as seat:
        await open_job(seat, "report")
        await seat.press("v")
        await seat.reads("Cancel", "Set state", "Set lasting", "Clear state", "Clear lasting")


async def test_waiting_runs_show_their_place_in_line(open_bench: OpenBench, sit: Sit) -> None:
    jobs = {"open": SHOPKEEPER, "close": SHOPKEEPER}
    async with open_bench(jobs, "[pool]\nsize = 1\n") as bench, sit(size=(120, 40)) as seat:
        first = await bench.desk.run_job("open", actor=ACTOR)
        for _ in range(2):
            await bench.desk.run_job("close", actor=ACTOR)
        await seat.reads("close")
        await seat.press("h")
        await seat.reads("number 1 in line: the pool is full", "number 2 in line")
        await seat.press("enter")
        await seat.reads("runs › 3  close", "number 2 in line: the pool is")
        await bench.desk.cancel(first.id, actor=ACTOR)
        await seat.reads("number 1 in line: another run")
