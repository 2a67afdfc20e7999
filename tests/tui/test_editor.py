"""The editor, with a real engine behind it."""

from __future__ import annotations

import re

import pytest

from engine.api.answers import Source
from tests.engine.conftest import OpenBench, open_bench, until
from tests.tui.conftest import Seat, Sit
from tui.screens.editor import EditorScreen
from tui.widgets.bars import Prose

__all__ = ["open_bench"]

FILE = """local job = core.job {
  every = "1h",
}

function job.run(run)
  core.log("hello")
  return job.OK
end

return job
"""


async def open_editor(seat: Seat, name: str) -> EditorScreen:
    await seat.reads(name)
    await seat.press("slash", *name, "enter", "e")
    await seat.reads(f"jobs › {name} › edit", "saved")
    assert isinstance(seat.app.screen, EditorScreen)
    return seat.app.screen


async def test_a_half_typed_line_is_marked_and_explained_until_it_is_right(
    open_bench: OpenBench, sit: Sit
) -> None:
    async with open_bench({"report": FILE}), sit() as seat:
        editor = await open_editor(seat, "report")
        editor.area.move_cursor((5, 19))
        await seat.type(" x((")
        await seat.reads("✗ 1 problem", "✗ line ")
        assert re.search(r"^ *[67]✗ ", seat.text, re.MULTILINE)
        await seat.press(*["backspace"] * 4)
        await seat.reads("saved")
        await seat.gone("✗")


async def test_every_setting_that_is_wrong_has_its_line_and_a_key_goes_from_one_to_the_next(
    open_bench: OpenBench, sit: Sit
) -> None:
    text = FILE.replace('"1h",', '"often",\n  evry = 3,')
    async with open_bench({"report": text}), sit() as seat:
        await open_editor(seat, "report")
        await seat.reads("✗ 2 problems", "✗ line 2", "(1 of 2, F8 next)", " 2✗ ", " 3✗ ")
        await seat.press("f8")
        await seat.reads("Ln 2, Col 1")
        await seat.press("f8")
        await seat.reads("Ln 3, Col 1", "did you mean every?", "(2 of 2, F8 next)")
        await seat.press("f8")
        await seat.reads("Ln 2, Col 1")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_new_text_is_judged_before_it_is_saved(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench({"report": FILE}) as bench, sit(size=size) as seat:
        await open_editor(seat, "report")
        await seat.type("retrun ")
        await seat.reads("✗ line 1", "✗ 1 problem")
        assert (bench.jobs_folder / "report.lua").read_text() == FILE


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_members_are_completed_by_keys_alone(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench({"report": FILE}), sit(size=size) as seat:
        editor = await open_editor(seat, "report")
        await until(lambda: seat.app.context.vocabularies)
        editor.area.move_cursor((5, 2))
        await seat.type("local id = core.")
        await seat.reads("ASC: 1", "Sort upwards.", " 1/30", "email", "json")
        await seat.type("u")
        await seat.reads("uuid() → string", "Return a new random identifier.")
        await seat.press("tab")
        await seat.reads("local id = core.uuidcore.log")
        await seat.gone("Return a new random identifier.")


async def test_esc_closes_the_list_alone_and_it_stays_closed_for_this_word(
    open_bench: OpenBench, sit: Sit
) -> None:
    async with open_bench({"report": FILE}), sit() as seat:
        editor = await open_editor(seat, "report")
        await until(lambda: seat.app.context.vocabularies)
        await seat.type("core.l")
        await seat.reads("log(...)")
        await seat.press("escape")
        assert seat.app.screen is editor
        await seat.gone("log(...)")
        await seat.type("o")
        await until(lambda: "core.lolocal" in editor.area.text)
        assert "log(...)" not in seat.text
        await seat.press("f2")
        await seat.reads("log(...)")


async def test_arrows_choose_and_enter_takes(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}), sit() as seat:
        editor = await open_editor(seat, "report")
        await until(lambda: seat.app.context.vocabularies)
        await seat.type("core.log.")
        await seat.reads("A line for whoever looks for an error.")
        await seat.press("down", "down", "up", "enter")
        await until(lambda: editor.area.text.startswith("core.log.errorlocal job"))
        await until(lambda: editor.area.cursor_location == (0, 14))


async def test_enter_is_a_new_line_behind_a_word_that_is_typed_out(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}), sit() as seat:
        editor = await open_editor(seat, "report")
        await until(lambda: seat.app.context.vocabularies)
        editor.area.move_cursor((7, 3))
        await seat.press("enter")
        await seat.type("core.data")
        await seat.press("enter")
        await until(lambda: "core.data\n" in editor.area.text)


async def test_settings_and_names_of_jobs_are_completed(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE, "admin/cleanup": FILE}), sit() as seat:
        editor = await open_editor(seat, "report")
        await until(lambda: seat.app.context.vocabularies)
        editor.area.move_cursor((1, 15))
        await seat.press("enter", "ctrl+at")
        await seat.reads("every", "cron", "Runs the job again and again")
        await seat.type("retries")
        await seat.press("tab")
        await until(lambda: "retries = " in editor.area.text)
        editor.area.move_cursor((6, 0))
        await seat.type('core.jobs.now("')
        await seat.reads("admin/cleanup", "a job of this folder")
        await seat.type("rep")
        await seat.press("tab")
        await until(lambda: 'core.jobs.now("report' in editor.area.text)


async def test_the_call_under_the_cursor_is_explained(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}), sit() as seat:
        editor = await open_editor(seat, "report")
        await until(lambda: seat.app.context.vocabularies)
        editor.area.move_cursor((5, 9))
        await seat.press("f3")
        await seat.reads("core.log(...)", "Writes lines to the run's log")
        editor.area.move_cursor((5, 0))
        await seat.type("core.files.copy(")
        await seat.reads(
            "core.files.copy(source, destination, overwrite?)", "overwrite    boolean (may be left out)"
        )
        await seat.press("escape")
        await seat.gone("may be left out")
        assert seat.app.screen is editor


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_a_run_is_followed_beside_the_code(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench({"report": FILE}), sit(size=size) as seat:
        await open_editor(seat, "report")
        await seat.press("f5")
        await seat.reads("info  hello", "✓ complete", "returned OK", 'core.log("hello")')
        line = seat.line_with("info  hello")
        assert ("core.log" in line or "│" in line) == (size[0] >= 120)
        await seat.press("escape")
        await seat.gone("✓ complete")
        await seat.reads("jobs › report › edit")


async def test_what_was_changed_is_saved_before_the_run_only_if_one_says_so(
    open_bench: OpenBench, sit: Sit
) -> None:
    async with open_bench({"report": FILE}) as bench, sit() as seat:
        editor = await open_editor(seat, "report")
        editor.area.move_cursor((5, 0))
        await seat.type("core.log(7)")
        await seat.press("f5")
        await seat.reads("Save and run?")
        await seat.press("enter")
        await seat.gone("Save and run?")
        assert (bench.jobs_folder / "report.lua").read_text() == FILE
        await seat.press("f5")
        await seat.reads("Save and run?")
        await seat.press("y")
        await seat.reads("info  7", "✓ complete")
        assert "core.log(7)" in (bench.jobs_folder / "report.lua").read_text()


async def test_a_text_with_problems_is_not_run(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}) as bench, sit() as seat:
        await open_editor(seat, "report")
        await seat.type("x((")
        await seat.reads("✗ 1 problem")
        await seat.press("f5")
        await seat.reads("not run: line")
        assert (bench.jobs_folder / "report.lua").read_text() == FILE
        assert not bench.ends("report")


async def test_the_line_on_which_a_run_failed_is_marked(open_bench: OpenBench, sit: Sit) -> None:
    text = FILE.replace('core.log("hello")', "local t = nil\n  local x = t.x")
    async with open_bench({"report": text}), sit(size=(120, 40)) as seat:
        await open_editor(seat, "report")
        await seat.press("f5")
        await seat.reads("✗ error", " 7✗ ", "✗ line 7: run 1: attempt to index a nil value")
        await seat.press("f8")
        await seat.reads("Ln 7, Col 1")


async def test_a_run_beside_the_code_can_be_cancelled_and_its_log_scrolled(
    open_bench: OpenBench, sit: Sit
) -> None:
    text = FILE.replace("  return job.OK", "  for n = 1, 50 do core.log(n) end\n  core.sleep(600)")
    async with open_bench({"report": text}), sit(size=(120, 40)) as seat:
        editor = await open_editor(seat, "report")
        await seat.press("f5")
        await seat.reads("▶ running", "info  50", "f4 cancels")
        await seat.press("f12", "home")
        await seat.reads("info  hello")
        await seat.press("escape")
        await until(lambda: editor.area.has_focus)
        await seat.press("f4")
        await seat.reads("cancelled")


async def test_a_change_on_disk_is_told_while_one_edits_and_ones_own_text_can_be_kept(
    open_bench: OpenBench, sit: Sit
) -> None:
    async with open_bench({"report": FILE}) as bench, sit(size=(120, 40)) as seat:
        editor = await open_editor(seat, "report")
        await seat.type("-- mine ")
        bench.write("report", f"-- theirs\n{FILE}")
        await bench.reload("report")
        await seat.reads("! changed by somebody else")
        assert editor.area.text == f"-- mine {FILE}"
        await seat.press("ctrl+t")
        await seat.reads("--- theirs", "+-- mine local job")
        await seat.press("right", "enter")
        await seat.gone("! changed by somebody else")
        await seat.press("ctrl+s")
        await until(lambda: (bench.jobs_folder / "report.lua").read_text() == f"-- mine {FILE}")


async def test_their_version_can_be_taken_while_one_edits(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}) as bench, sit(size=(120, 40)) as seat:
        editor = await open_editor(seat, "report")
        await seat.type("-- mine ")
        bench.write("report", f"-- theirs\n{FILE}")
        await bench.reload("report")
        await seat.reads("! changed by somebody else")
        await seat.press("ctrl+t")
        await seat.reads("+-- mine local job")
        await seat.press("right", "right", "enter")
        await until(lambda: editor.area.text == f"-- theirs\n{FILE}")
        await seat.reads("  saved")


async def test_a_change_on_disk_is_taken_at_once_where_nothing_was_typed(
    open_bench: OpenBench, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.editor.LOOK_SECONDS", 0.1)
    async with open_bench({"report": FILE}) as bench, sit(size=(120, 40)) as seat:
        editor = await open_editor(seat, "report")
        editor.area.move_cursor((3, 0))
        # No reload: the engine is not told, and the editor looks by itself.
        bench.write("report", f"-- theirs\n{FILE}")
        await until(lambda: editor.area.text == f"-- theirs\n{FILE}", 30)
        assert editor.area.cursor_location == (3, 0)
        await seat.reads("  saved")


async def test_where_the_engine_watches_its_folder_nothing_is_asked_again_and_again(
    open_bench: OpenBench, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.editor.LOOK_SECONDS", 0.01)
    async with open_bench({"report": FILE}, "watch = true\n") as bench, sit(size=(120, 40)) as seat:
        asked: list[str] = []
        read = seat.app.context.client.job_source

        async def job_source(name: str) -> Source:
            asked.append(name)
            return await read(name)

        seat.app.context.client.job_source = job_source  # type: ignore[method-assign]
        editor = await open_editor(seat, "report")
        # So many turns, as often as it would have been asked had nobody watched.
        turns: list[int] = []
        seat.app.set_interval(0.01, lambda: turns.append(len(asked)))
        await until(lambda: len(turns) > 60, 60)
        assert 1 <= turns[60] <= 2
        assert turns[60] == turns[30]
        bench.write("report", f"-- theirs\n{FILE}")
        await until(lambda: editor.area.text == f"-- theirs\n{FILE}", 60)


async def test_ones_own_save_is_nobody_elses_change(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}) as bench, sit(size=(120, 40)) as seat:
        editor = await open_editor(seat, "report")
        for number in range(3):
            await seat.type(f"-- {number}")
            await seat.press("enter", "ctrl+s")
            await until(lambda: (bench.jobs_folder / "report.lua").read_text() == editor.area.text, 30)
            await seat.reads("  saved")
        assert "somebody else" not in seat.text


async def test_what_was_told_lies_on_no_answer_of_a_question(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}) as bench, sit() as seat:
        await open_editor(seat, "report")
        await seat.type("-- mine ")
        bench.write("report", "-- theirs\n" * 40 + FILE)
        await bench.reload("report")
        await seat.reads("Ctrl+T shows")
        await seat.press("ctrl+t")
        await seat.reads("Cancel", "Keep mine", "Take theirs", "Ctrl+T shows")


async def test_letters_are_no_keys_of_the_editor_and_its_log_tells_that_it_has_the_keys(
    open_bench: OpenBench, sit: Sit
) -> None:
    async with open_bench({"report": FILE}), sit(size=(120, 40)) as seat:
        await open_editor(seat, "report")
        await seat.press("f1")
        await seat.reads("Comment the line")
        told = seat.app.screen.query_one(Prose).plain
        assert "Down j" not in told
        assert "History: the runs" not in told
        assert "F1" in told
        assert "Ctrl+Q" in told
        await seat.press("escape", "f5")
        await seat.reads("✓ complete")
        assert "┃" not in seat.text
        await seat.press("f12")
        await seat.reads("┃")
        await seat.press("f1")
        await seat.reads("Moving in the log", "Down j")
