"""The pages of a job, of runs and of one run, and the editor, over a real API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.states import FINAL
from engine.views import LogLineView
from tests.engine.api.memory_engine import START, MemoryEngine, _run_view
from tests.engine.conftest import until
from tests.tui.conftest import Seat, Sit
from tui.look.themes import DARK

pytestmark = pytest.mark.usefixtures("server")

TRACE = "report.lua:2: attempt to index a nil value\n  report.lua:2: in job.run()"
CODE = "local job = core.job {}\nlocal broken = nil .. 1\nreturn job\n"


async def open_job(seat: Seat, name: str) -> None:
    await seat.reads(name)
    await seat.press("slash", *name, "enter", "enter")
    await seat.reads(f"jobs › {name}")


async def test_a_jobs_page_tells_how_it_stands(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", status="INACTIVE", reason="it broke", description="Mark toys", tags={"team": "shop"})
    async with sit() as seat:
        await open_job(seat, "report")
        await seat.reads("‖ inactive", "it broke", "Mark toys", "team=shop", "every 2m", "next runs")


async def test_the_last_error_stands_on_its_source_line(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", CODE, status="INACTIVE", error=TRACE)
    async with sit(size=(100, 40)) as seat:
        await open_job(seat, "report")
        await seat.reads("in job.run()", "▶   2 local broken = nil .. 1")


async def test_the_last_error_and_its_line_fit_on_a_small_screen(sit: Sit, engine: MemoryEngine) -> None:
    tags = {f"tag{number}": "shop" for number in range(3)}
    engine.add("report", CODE, status="INACTIVE", reason="it broke", error=TRACE, tags=tags)
    async with sit(size=(80, 24)) as seat:
        await open_job(seat, "report")
        await seat.reads("it broke", "in job.run()", "▶   2 local broken = nil .. 1")


async def test_the_last_ends_beside_the_tabs_keep_the_newest_on_a_small_screen(
    sit: Sit, engine: MemoryEngine
) -> None:
    for number in range(1, 31):
        status = "ERROR" if number == 30 else "COMPLETE"
        engine.all_runs[number] = replace(_run_view(number, "report", {}, 0), status=status, duration_ms=5.0)
        engine.logs[number] = []
    async with sit(size=(80, 24)) as seat:
        await open_job(seat, "report")
        await until(lambda: seat.line_with("7 Charts").endswith("█✗"))
        assert "7 Charts   last █" in seat.line_with("7 Charts")


async def test_why_a_job_is_invalid_is_told_once(sit: Sit, engine: MemoryEngine) -> None:
    trouble = "line 3: '=' expected"
    alert = engine.alerts.add(1, "report", kind="invalid", reason=f"{trouble[:-2]}...")
    engine.add("report", status="INVALID", reason=trouble, error=trouble, alerts=[alert])
    async with sit(size=(80, 24)) as seat:
        await open_job(seat, "report")
        await seat.reads("✗ invalid", "! invalid", "last error", trouble)
        assert seat.text.count(trouble[:-2]) == 1


async def test_a_jobs_runs_come_live(sit: Sit) -> None:
    async with sit() as seat:
        await open_job(seat, "report")
        await seat.press("2")
        await seat.reads("This job has not run yet.")
        await seat.press("r")
        await seat.reads("✓ complete", "manual")


async def test_the_code_tab_shows_the_file(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", CODE)
    async with sit() as seat:
        await open_job(seat, "report")
        await seat.press("3")
        await seat.reads("1 local job = core.job {}", "3 return job")


async def test_the_settings_tab_shows_every_setting(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", settings={"every": 120, "tags": {"team": "shop"}, "cron": None})
    async with sit() as seat:
        await open_job(seat, "report")
        await seat.press("4")
        await seat.reads("every", "2m", '{ "team": "shop" }', "cron")


async def test_esc_leads_back_to_the_list_and_never_out(sit: Sit) -> None:
    async with sit() as seat:
        await open_job(seat, "report")
        await seat.press("escape")
        await seat.reads("SCHEDULE")
        await seat.press("escape", "escape")
        await seat.reads("SCHEDULE")
        assert seat.app.return_value is None


async def open_run(seat: Seat, name: str) -> None:
    await seat.reads(name)
    await seat.press("slash", *name, "enter", "r")
    await until(lambda: seat.app.board.jobs[name].last_run_id is not None)
    await seat.press("l")
    await seat.reads("runs › ")


async def test_a_runs_log_grows_while_it_is_watched(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await open_run(seat, "endless")
        await seat.reads("line 1", "following", "▶ running")
        engine.write_log(1, 2, "and another")
        await seat.reads("and another")


async def test_a_long_log_follows_its_end_until_one_scrolls_up(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("endless", "lines=100 forever")
    async with sit() as seat:
        await open_run(seat, "endless")
        await seat.reads("line 100", "following")
        await seat.press("pageup")
        assert "following" not in seat.text
        engine.write_log(1, 101, "the newest")
        await until(lambda: seat.app.screen.query_one("#log").last_number == 101)  # type: ignore[attr-defined]
        assert "the newest" not in seat.text
        await seat.press("f")
        await seat.reads("the newest", "following")


async def test_finding_in_the_log_goes_there_and_keeps_what_is_around(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", "lines=200")
    async with sit() as seat:
        await open_run(seat, "report")
        await seat.reads("line 200")
        await seat.press("slash", *"line", "space", *"42", "enter")
        await seat.reads("line 42", "line 43", "find line 42", "1 of 1 line", "▶12:00:00")


async def test_places_found_in_the_log_are_gone_through_where_all_of_it_is_in_sight(
    sit: Sit, engine: MemoryEngine
) -> None:
    engine.add("report", "lines=12")
    async with sit() as seat:
        await open_run(seat, "report")
        await seat.reads("line 12")
        await seat.press("slash", *"line", "space", "1", "enter")
        await seat.reads("1 of 4 lines")
        await seat.press("n")
        await seat.reads("2 of 4 lines")
        assert seat.line_with("▶").endswith("line 10")
        await seat.press("N", "N")
        await seat.reads("4 of 4 lines")
        assert seat.line_with("▶").endswith("line 12")


async def test_a_line_of_the_log_that_is_cut_shows_it(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await open_run(seat, "endless")
        engine.write_log(1, 3, "word " * 40)
        await seat.reads("word word")
        assert seat.line_with("word word").endswith("…")


async def test_the_keys_at_the_bottom_are_those_of_the_tab(sit: Sit) -> None:
    async with sit() as seat:
        await open_job(seat, "report")
        await seat.reads("r Run", "esc Back")
        assert "Open run" not in seat.text
        await seat.press("2")
        await seat.reads("⏎ Open run", "esc Back")
        await seat.press("6")
        await seat.reads("v Change", "esc Back")
        await seat.gone("Open run")


async def test_a_wide_screen_shows_the_last_runs_beside_the_overview(sit: Sit, engine: MemoryEngine) -> None:
    async with sit(size=(120, 40)) as seat:
        await open_job(seat, "report")
        await seat.press("r")
        await seat.reads("last runs", "1  ✓ complete", "how long runs took")
        await seat.press("3")
        await seat.gone("last runs")


async def test_a_wide_screen_shows_the_run_under_the_cursor_beside_the_runs(sit: Sit) -> None:
    async with sit(size=(200, 60)) as seat:
        await open_run(seat, "report")
        await seat.press("h")
        await seat.reads("the newest first: 1 run", "trigger   manual, attempt 1", "RESULT")


async def test_levels_hide_what_is_below(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await open_run(seat, "endless")
        await seat.reads("line 1")
        engine.logs[1].append(LogLineView(2, START, "error", "it hurts"))
        engine.write_log(1, 3, "calm again")
        await seat.reads("it hurts", "calm again")
        await seat.press("v", "v")
        await seat.reads("only warn and above")
        assert "it hurts" in seat.text
        assert "calm again" not in seat.text


async def test_a_runs_values_are_shown(sit: Sit) -> None:
    async with sit() as seat:
        await open_run(seat, "report")
        await seat.reads("✓ complete")
        await seat.press("2")
        await seat.reads("RESULT", '"sold": 3', "manual, attempt 1")


def call(name: str, **more: Any) -> dict[str, Any]:
    times = {"at_ms": 1.0, "ms": 2.0, "longest_ms": 2.0}
    return {"call": name, "count": 1, "failed": 0, "error": None, **times, **more}


async def test_the_calls_of_a_run_come_while_it_goes_on(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await open_run(seat, "endless")
        await seat.reads("▶ running")
        await seat.press("5")
        await seat.reads("told at its end, as it goes on elsewhere")
        engine.all_runs[1] = replace(engine.all_runs[1], calls=[])
        await seat.reads("no core call so far")
        calls = [call("http.get"), call("mysql.select", going=True)]
        engine.all_runs[1] = replace(engine.all_runs[1], calls=calls)
        await seat.reads("2 calls took 4.0ms", "so far", "http.get", "mysql.select", "▶ no answer yet")
        engine.all_runs[1] = replace(engine.all_runs[1], calls=[call("http.get", count=7)])
        await seat.reads("7 calls")
        assert "no answer yet" not in seat.text


async def test_k_cancels_the_run_after_a_yes(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await open_run(seat, "endless")
        await seat.reads("▶ running")
        await seat.press("K")
        await seat.reads("Cancel run 1 of endless?")
        await seat.press("y")
        await seat.reads("⊘ cancelled")
        assert engine.all_runs[1].status in FINAL


async def test_x_runs_again_with_the_same_data(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("slash", *"report", "enter", "R")
        await seat.reads("Run report with data")
        await seat.press("ctrl+u")
        await seat.type("[1,")
        await seat.press("enter")
        await seat.reads("it is not JSON")
        await seat.type("2]")
        await seat.press("enter")
        await until(lambda: len(engine.all_runs) == 1)
        await seat.reads("✓ complete")
        await seat.press("l")
        await seat.reads("runs › 1  report")
        await seat.press("x")
        await seat.reads("runs › 2")
        assert engine.all_runs[2].data == [1, 2]


async def test_all_runs_are_listed_and_filtered(sit: Sit, engine: MemoryEngine) -> None:
    async with sit(size=(100, 30)) as seat:
        await seat.reads("report")
        for name in ("report", "faulty", "admin/cleanup"):
            await engine.run_job(name, actor="x")
        await until(lambda: all(run.status in FINAL for run in engine.all_runs.values()))
        await seat.press("h")
        await seat.reads("report", "faulty", "it broke")
        await seat.press("slash")
        await seat.type("status:error")
        await seat.reads("1 run", "faulty")
        assert "report" not in seat.text


async def test_older_runs_come_when_the_cursor_reaches_the_end(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", "lines=1")
    for _ in range(320):
        await engine.run_job("report", actor="x")
    await until(lambda: all(run.status in FINAL for run in engine.all_runs.values()))
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("h")
        await seat.reads("320")
        await seat.press("G")
        await until(lambda: len(seat.app.screen.query_one("#runs").rows) == 320)  # type: ignore[attr-defined]


async def test_no_runs_say_what_to_do(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("h")
        await seat.reads("Nothing has run yet.")


async def test_what_comes_is_listed_with_its_notes(sit: Sit) -> None:
    async with sit(size=(100, 30)) as seat:
        await seat.reads("report")
        await seat.press("u")
        await seat.reads("DUE", "report", "the last date")


async def edit(seat: Seat, name: str) -> None:
    await seat.reads(name)
    await seat.press("slash", *name, "enter", "e")
    await seat.reads(f"jobs › {name} › edit", "saved")


async def test_the_editor_saves_through_the_engine(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", CODE)
    async with sit() as seat:
        await edit(seat, "report")
        await seat.type("-- why")
        await seat.reads("● modified")
        await seat.press("ctrl+s")
        await seat.reads("saved")
        assert engine.texts["report"] == "-- why" + CODE


async def test_esc_leaves_the_editor_and_asks_when_something_would_be_lost(
    sit: Sit, engine: MemoryEngine
) -> None:
    async with sit() as seat:
        await edit(seat, "report")
        await seat.type("x")
        await seat.press("escape")
        await seat.reads("Leave without saving?")
        await seat.press("enter")
        await seat.reads("● modified")
        await seat.press("escape", "y")
        await seat.reads("SCHEDULE")
        assert engine.texts["report"] == "lines=3"


async def change_meanwhile(seat: Seat, engine: MemoryEngine) -> None:
    await edit(seat, "report")
    await seat.type("mine ")
    engine.texts["report"] = "theirs"
    await seat.press("ctrl+s")
    await seat.reads("Somebody else changed this file", "-theirs", "+mine lines=3")


async def test_a_conflict_overwrites_nothing_by_itself(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await change_meanwhile(seat, engine)
        await seat.press("enter")
        await seat.reads("● modified")
        assert engine.texts["report"] == "theirs"


async def test_a_conflict_can_be_won(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await change_meanwhile(seat, engine)
        await seat.press("right", "enter")
        await until(lambda: engine.texts["report"] == "mine lines=3")
        await seat.reads("saved")


async def test_a_conflict_can_be_given_up(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await change_meanwhile(seat, engine)
        await seat.press("right", "right", "enter")
        await seat.reads("1  theirs")
        assert engine.texts["report"] == "theirs"


async def test_a_new_job_is_written_from_a_template(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("n")
        await seat.press(*"report", "enter")
        await seat.reads("report exists already")
        await seat.press("2", "enter")
        await seat.reads("jobs › report2 › new")
        assert "report2" not in engine.texts
        await seat.press("ctrl+s")
        await until(lambda: "report2" in engine.texts)
        assert "return job" in engine.texts["report2"]


async def test_the_problem_of_a_broken_file_is_shown_and_found(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("torn", CODE, status="INVALID", reason="torn.lua:2: broken")
    async with sit() as seat:
        await edit(seat, "torn")
        await seat.reads("✗ line 2: broken")
        await seat.press("f8")
        await seat.reads("Ln 2, Col 1")


async def test_finding_goes_round_the_file(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", CODE)
    async with sit() as seat:
        await edit(seat, "report")
        await seat.press("ctrl+f", *"job", "enter")
        await seat.reads("Ln 1, Col 10")
        await seat.press("ctrl+n", "ctrl+n", "ctrl+n")
        await seat.reads("Ln 1, Col 10")


async def test_a_line_becomes_a_comment_and_code_again(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", CODE)
    async with sit() as seat:
        await edit(seat, "report")
        await seat.press("ctrl+underscore")
        await seat.reads("-- local job")
        await seat.press("ctrl+underscore")
        await until(lambda: "-- local job" not in seat.text)


async def test_lua_has_colours(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", 'local x = "ünï" -- why')
    async with sit() as seat:
        seat.app.theme = "moon"
        await edit(seat, "report")
        await seat.press("end")
        strips = seat.app.screen._compositor.render_strips()
        line = next(strip for strip in strips if "local" in "".join(s.text for s in strip))
        colours = {s.text.strip(): s.style.color.name for s in line if s.style and s.style.color}
        assert colours["local"] == DARK.variables["shade-busy"]
        assert colours['"ünï"'] == DARK.variables["shade-ok"]
        assert colours["-- why"] == DARK.variables["shade-faint"]
