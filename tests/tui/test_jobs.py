"""The list of jobs, over a real API."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta

import pytest

from engine.api.address import socket_in
from engine.api.server import ApiServer
from engine.events import JobsReloaded
from engine.states import FINAL
from tests.engine.api.memory_engine import MemoryEngine
from tests.engine.conftest import until
from tests.tui.conftest import Sit
from tui.widgets.dialogs import Choice, Confirm
from tui.widgets.grid import Grid

pytestmark = pytest.mark.usefixtures("server")


async def test_each_job_stands_there_with_icon_and_word(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("report", "● waiting", "✗ invalid", "every 2m")


async def test_the_garbage_collector_that_rests_at_the_start_works_once_the_list_is_there(sit: Sit) -> None:
    gc.disable()
    try:
        async with sit() as seat:
            await seat.reads("report")
            assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()


async def test_what_needs_attention_comes_first(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("torn")
        assert "torn" in seat.lines[2]
        assert "1 needs attention" in seat.lines[0]


async def test_80_columns_tell_of_state_troubles_pool_queue_and_pace(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("report", "● Running", "clock -", "1 needs attention", "pool 0/10", "queue 0")
        seat.app.board.clock_distance = timedelta()
        await seat.reads("queue 0  0/min")
        assert "clock" not in seat.lines[0]
    async with sit(size=(120, 40)) as seat:
        await seat.reads("☾ moontide", "6 jobs", "clock -", "pool 0/10", "queue 0", "0/min")


async def test_the_filter_applies_while_it_is_typed(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("slash")
        await seat.type("repo")
        assert "report" in seat.text
        assert "endless" not in seat.text


async def test_the_filter_knows_tags_and_statuses(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("till", tags={"team": "shop"})
    async with sit() as seat:
        await seat.reads("till")
        await seat.press("slash")
        await seat.type("tag:shop !status:invalid")
        assert "till" in seat.text
        assert "report" not in seat.text


async def test_a_filter_that_nothing_fits_says_how_to_clear_it(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("slash")
        await seat.type("zzz")
        await seat.reads("No job matches “zzz”", "Esc clears the filter")
        await seat.press("escape")
        await seat.reads("report")


async def test_an_empty_folder_says_what_to_do(sit: Sit, engine: MemoryEngine) -> None:
    engine.views.clear()
    async with sit() as seat:
        await seat.reads("No jobs yet", "Press n to write the first one")
        assert "report.lua into the jobs folder." in " ".join(seat.text.split())


async def test_the_filter_tells_how_many_jobs_it_leaves(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("slash")
        await seat.type("repo")
        await seat.reads("filter repo", f"1 of {len(engine.views)} jobs")


async def test_marks_are_counted_where_they_are_out_of_sight_too(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("space", "space")
        await seat.reads("• 2 marked  ⏎ Open")
        await seat.press("escape")
        await seat.gone("marked")


async def test_the_heading_shows_by_what_the_jobs_are_sorted(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("report")
        assert "▲" not in seat.text
        await seat.press("s")
        await seat.reads("JOB ▲")
        await seat.press("S")
        await seat.reads("JOB ▼")


async def test_where_nothing_runs_there_is_nothing_to_cancel(sit: Sit) -> None:
    async with sit(size=(120, 40)) as seat:
        await seat.reads("report")
        await seat.press("slash", *"repo", "enter", "K")
        await seat.reads("nothing to cancel: no run of report waits or goes on")


async def test_with_the_terminals_own_colours_the_cursor_is_one_bar(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("torn")
        seat.app.theme = "moon-terminal"
        await seat.pilot.pause()
        strip = seat.app.screen._compositor.render_strips()[2]
        assert {(s.style.color, s.style.bgcolor) for s in strip if s.style and s.style.reverse} == {
            (strip._segments[0].style.color, strip._segments[0].style.bgcolor)  # type: ignore[union-attr]
        }
        assert all(segment.style and segment.style.reverse for segment in strip)


async def test_r_runs_the_job_under_the_cursor_at_once(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("slash", *"report", "enter", "r")
        await seat.reads("✓ complete")
        assert [run.job for run in engine.all_runs.values()] == ["report"]


async def test_a_job_that_runs_already_is_run_again_only_after_a_yes(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await seat.reads("endless")
        await seat.press("slash", *"endless", "enter", "r")
        await seat.reads("▶ running")
        await seat.press("r")
        await seat.reads("It runs or waits already.")
        await seat.press("enter")
        assert len(engine.all_runs) == 1
        await seat.press("r", "y")
        await until(lambda: len(engine.all_runs) == 2)


async def test_questions_start_on_cancel(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("p")
        assert isinstance(seat.app.screen, Confirm)
        assert isinstance(seat.app.focused, Choice)
        await seat.press("enter")
        assert engine.actors == []
        assert all(view.active for view in engine.views.values())


async def test_marked_jobs_are_deactivated_together(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("space", "space", "p")
        await seat.reads("Deactivate 2 jobs?", "torn", "admin/cleanup")
        await seat.press("y")
        await until(lambda: not engine.views["torn"].active and not engine.views["admin/cleanup"].active)
        assert engine.views["report"].active


async def test_an_inactive_job_is_activated_and_the_reload_is_named(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("idle", active=False, status="INACTIVE")
    async with sit() as seat:
        await seat.reads("idle")
        await seat.press("slash", *"idle", "enter", "p")
        await seat.reads("a reload (Ctrl+R)")
        assert engine.views["idle"].active


async def test_cancel_ends_the_run_under_way_after_a_yes(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await seat.reads("endless")
        await seat.press("slash", *"endless", "enter", "r")
        await seat.reads("▶ running")
        await seat.press("K")
        await seat.reads("Cancel run 1 of endless?")
        await seat.press("y")
        await until(lambda: engine.all_runs[1].status in FINAL)
        await seat.reads("⊘ cancelled")


async def test_delete_wants_the_name_typed(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("slash", *"report", "enter", "d")
        await seat.reads("Delete report?")
        await seat.press(*"repot", "enter")
        await seat.reads("type report to go on")
        assert "report" in engine.views
        await seat.press("backspace", *"rt", "enter")
        await until(lambda: "report" not in engine.views)


async def test_a_refusal_is_shown_and_nothing_breaks(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("torn")
        await seat.press("r")
        await seat.reads("torn cannot run: line 3: broken")


async def test_new_jobs_move_neither_cursor_nor_filter(sit: Sit, engine: MemoryEngine) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("s", "slash", *"e", "enter", "down", "down")
        jobs = seat.app.screen.query_one("#jobs")
        under = jobs.cursor_row  # type: ignore[attr-defined]
        engine.add("aaae")
        engine.events.publish(JobsReloaded(datetime.now(UTC), ("aaae",), (), (), ()))
        await seat.reads("aaae")
        assert jobs.cursor_row.name == under.name  # type: ignore[attr-defined]


async def test_new_jobs_above_leave_the_rows_on_the_screen_in_their_lines(
    sit: Sit, engine: MemoryEngine
) -> None:
    for number in range(60):
        engine.add(f"job{number:02}")
    async with sit() as seat:
        await seat.reads("job00")
        await seat.press("s", "pagedown", "pagedown", "up")
        grid = seat.app.screen.query_one("#jobs", Grid)

        def shown() -> list[str]:
            # Without the scroll bar.
            return [line[:70] for line in seat.lines if " job" in line]

        before, top = shown(), grid.scroll_offset.y
        engine.add("aaa")
        engine.add("aab")
        engine.events.publish(JobsReloaded(datetime.now(UTC), ("aaa", "aab"), (), (), ()))
        await until(lambda: grid.scroll_offset.y == top + 2 and shown() == before, 30)
        await seat.press("g")
        await seat.reads("aaa")
        engine.add("aaaa")
        engine.events.publish(JobsReloaded(datetime.now(UTC), ("aaaa",), (), (), ()))
        await seat.reads("aaaa")


async def test_s_sorts_by_the_next_column(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("zebra", next_run=datetime.now(UTC) - timedelta(days=900))
    async with sit() as seat:
        await seat.reads("zebra")
        await seat.press("s", "s")
        await seat.reads("sorted by next")
        assert "zebra" in seat.lines[2]


async def test_the_next_run_counts_down(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("soon", next_run=datetime.now(UTC) + timedelta(seconds=90))
    async with sit() as seat:
        await seat.reads("soon")
        seat.app.board.clock_distance = timedelta()
        first = seat.line_with(" soon ")
        assert " in " in first
        await until(lambda: seat.line_with(" soon ") != first)


async def test_80_columns_keep_status_name_schedule_and_outcome(sit: Sit) -> None:
    async with sit(size=(80, 24)) as seat:
        await seat.reads("STATUS", "JOB", "SCHEDULE", "NEXT", "LAST", "ENDED")
        assert "TAGS" not in seat.text
        assert all(len(line) <= 80 for line in seat.lines)
        assert seat.lines[-1].endswith("? Help")


async def test_40_columns_keep_status_and_name(sit: Sit) -> None:
    async with sit(size=(40, 10)) as seat:
        await seat.reads("STATUS", "JOB", "report")
        assert "SCHEDULE" not in seat.text


async def test_200_columns_show_the_job_under_the_cursor_beside_the_list(sit: Sit) -> None:
    async with sit(size=(200, 60)) as seat:
        await seat.reads("TAGS", "line 3: broken", "jobs/torn.lua")


async def test_without_an_engine_it_says_how_to_start_one(sit: Sit, server: ApiServer) -> None:
    await server.stop()
    async with sit() as seat:
        await seat.reads("engine not reachable", "Start one with `moontide up`")


async def test_it_comes_back_by_itself_when_the_engine_does(
    sit: Sit, server: ApiServer, engine: MemoryEngine
) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await server.stop()
        await seat.reads("engine not reachable")
        assert "report" in seat.text
        await seat.press("r")
        await seat.reads("no engine answers")
        engine.add("later")
        again = ApiServer(engine, socket_path=socket_in(engine.home))
        await again.start()
        await seat.reads("● Running", "later")
        await again.stop()


async def test_a_job_cannot_steer_the_terminal(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("evil", schedule="\x1b[31mred")
    async with sit() as seat:
        await seat.reads("evil", "\\x1b[31mred")


async def test_quitting_a_dashboard_that_owns_its_engine_asks_first(sit: Sit) -> None:
    async with sit(owns_engine=True) as seat:
        await seat.reads("report")
        await seat.press("q")
        await seat.reads("Stop the engine and quit?")
        await seat.press("escape", "q", "y")
        assert seat.app.return_value == 0


async def test_ctrl_c_asks_where_it_stops_the_engine_and_else_says_how_to_leave(sit: Sit) -> None:
    async with sit(owns_engine=True) as seat:
        await seat.reads("report")
        await seat.press("ctrl+c")
        await seat.reads("Stop the engine and quit?")
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("ctrl+c")
        await seat.reads("press q to quit")


async def test_quitting_any_other_dashboard_just_ends_it(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("q")
        assert seat.app.return_value == 0


async def test_the_palette_lists_actions_and_jobs(sit: Sit) -> None:
    async with sit(size=(100, 30)) as seat:
        await seat.reads("report")
        await seat.press("ctrl+p")
        await seat.reads("Run with data")
        await seat.press(*"endl")
        await seat.reads("endless", "open the job")


@pytest.mark.parametrize("theme", ["moon", "moon-light", "moon-contrast", "moon-grey", "moon-terminal"])
async def test_every_theme_draws_the_list(sit: Sit, theme: str) -> None:
    async with sit() as seat:
        seat.app.theme = theme
        await seat.reads("report", "✗ invalid")


async def test_a_terminal_without_unicode_gets_plain_signs(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    async with sit() as seat:
        await seat.reads("x invalid", "E Open")
        assert seat.text.isascii()
        await seat.press("C")
        await seat.reads("< > Earlier, later")
        assert seat.text.isascii()


async def test_help_lists_the_keys_of_the_screen(sit: Sit) -> None:
    async with sit(size=(100, 60)) as seat:
        await seat.reads("report")
        await seat.press("question_mark")
        await seat.reads("Run with data", "Ctrl+R", "PgDn")
        await seat.press("escape")
        await seat.reads("report")


async def test_ones_own_editor_does_not_open_through_the_front_door(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("E")
        await seat.reads("your own editor opens only where")


async def test_of_a_paused_job_no_next_run_is_told(sit: Sit, engine: MemoryEngine) -> None:
    engine.add("report", paused="paused by anna: disk is full", next_run=datetime(2020, 1, 1, tzinfo=UTC))
    async with sit() as seat:
        await seat.reads("¦ paused")
        line = seat.line_with("report")
        assert "late" not in line
        await seat.press("slash", *"report", "enter", "enter")
        await seat.reads("jobs › report", "paused by anna", "— while it is paused")
        assert "next" not in seat.line_with("jobs › report")


async def test_a_name_that_no_job_can_have_is_told_where_it_is_typed(sit: Sit) -> None:
    async with sit() as seat:
        await seat.reads("report")
        await seat.press("n")
        await seat.type("re port")
        await seat.press("enter")
        await seat.reads("New job", "cannot be a job name")
        await seat.press("escape")
        await seat.gone("New job")


async def test_without_colours_the_cursor_is_reversed(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with sit() as seat:
        await seat.reads("report")

        def reversed_lines() -> list[int]:
            strips = seat.app.screen._compositor.render_strips()
            return [
                number
                for number, strip in enumerate(strips)
                if all(segment.style and segment.style.reverse for segment in strip)
            ]

        await seat.press("home")
        await until(lambda: reversed_lines() == [2])
        await seat.press("down")
        await until(lambda: reversed_lines() == [3])
