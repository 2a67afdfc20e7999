"""The form for a job's settings, with a real engine behind it."""

from __future__ import annotations

import pytest

from tests.engine.conftest import OpenBench, open_bench, until
from tests.tui.conftest import Seat, Sit
from tui.model.places import FormPlace
from tui.screens.form import FormScreen

__all__ = ["open_bench"]

FILE = """-- What is sold out.
local job = core.job {
  every = "1h", -- now and then
  timeout = 5 * 60,
  tags = { team = "shop" },
}

function job.run()
  return job.OK
end

return job
"""


async def open_form(seat: Seat, name: str) -> FormScreen:
    await seat.reads(name)
    await seat.press("escape", "slash", *name, "enter", "o")
    await seat.reads(f"jobs › {name} › settings", "every 1h")
    assert isinstance(seat.app.screen, FormScreen)
    return seat.app.screen


async def go_to(seat: Seat, form: FormScreen, setting: str) -> None:
    names = [field.setting.name for field in form.fields if not field.fixed]
    assert form.field is not None
    steps = names.index(setting) - names.index(form.field.setting.name)
    await seat.press(*["down" if steps > 0 else "up"] * abs(steps))
    assert form.field.setting.name == setting


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_setting_is_judged_as_it_is_typed_and_saved_alone(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench({"report": FILE}) as bench, sit(size=size) as seat:
        form = await open_form(seat, "report")
        await go_to(seat, form, "every")
        await seat.press("end", "backspace", "backspace")
        await seat.type("often")
        await seat.reads("not a duration", "modified")
        await seat.press("ctrl+s")
        await seat.reads("not saved")
        await seat.press(*["backspace"] * 5)
        await seat.type("90m")
        await seat.reads("✓ every 1h30m", "in 89m")
        await seat.press("ctrl+s")
        await seat.reads("saved and reloaded", "1h30m")
        saved = (bench.jobs_folder / "report.lua").read_text()
    assert saved == FILE.replace('"1h"', '"90m"')


async def test_the_schedule_tells_of_changes_of_the_clocks(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}), sit(size=(120, 40)) as seat:
        form = await open_form(seat, "report")
        await go_to(seat, form, "every")
        await seat.press("end", "backspace", "backspace")
        await go_to(seat, form, "cron")
        await seat.type("30 2 L * *")
        await seat.reads("✗")
        await seat.press("end", *["backspace"] * 20)
        await seat.type("30 2 * 3 SUN")
        await go_to(seat, form, "timezone")
        await seat.type("Europe/Berlin")
        await seat.reads("cron 30 2 * 3 SUN (Europe/Berlin)", "daylight saving")


async def test_what_is_computed_is_shown_and_left_alone(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}) as bench, sit(size=(120, 60)) as seat:
        form = await open_form(seat, "report")
        await seat.reads("5 * 60", '{ team = "shop" }')
        assert [field.setting.name for field in form.fields if field.fixed] == ["timeout"]
        await go_to(seat, form, "description")
        await seat.type("Count toys")
        await seat.reads("modified")
        await seat.press("ctrl+s")
        await seat.reads("saved and reloaded")
        saved = (bench.jobs_folder / "report.lua").read_text()
    assert saved == FILE.replace('"shop" },\n', '"shop" },\n  description = "Count toys",\n')


async def test_a_new_job_is_filled_in_and_then_edited(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}) as bench, sit() as seat:
        await seat.reads("report")
        await seat.press("n")
        await seat.type("cleanup")
        await seat.press("enter")
        await seat.reads("jobs › cleanup › new", "✓ every 1h")
        assert not (bench.jobs_folder / "cleanup.lua").exists()
        await seat.press("ctrl+s")
        await seat.reads("jobs › cleanup › edit", "function job.run(run)")
        assert (bench.jobs_folder / "cleanup.lua").exists()
        await seat.press("escape")
        await seat.reads("cleanup", "report")


async def test_changes_are_made_to_the_version_that_somebody_else_wrote(
    open_bench: OpenBench, sit: Sit
) -> None:
    theirs = FILE.replace("return job.OK", "return job.SLEEP")
    async with open_bench({"report": FILE}) as bench, sit() as seat:
        form = await open_form(seat, "report")
        await go_to(seat, form, "description")
        await seat.type("Mine")
        await seat.reads("modified")
        bench.write("report", theirs)
        await seat.press("ctrl+s")
        await seat.reads("Somebody else changed this file", "description")
        await seat.press("y")
        await until(lambda: "Mine" in (bench.jobs_folder / "report.lua").read_text())
        saved = (bench.jobs_folder / "report.lua").read_text()
    assert saved == theirs.replace('"shop" },\n', '"shop" },\n  description = "Mine",\n')


async def test_leaving_asks_only_when_something_was_changed(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}), sit() as seat:
        form = await open_form(seat, "report")
        await seat.press("escape")
        await seat.reads("NEXT")
        form = await open_form(seat, "report")
        await go_to(seat, form, "description")
        await seat.type("x")
        await seat.press("escape")
        await seat.reads("Leave without saving?")
        await seat.press("escape")
        await seat.reads("jobs › report › settings")
        await seat.press("escape", "y")
        await until(lambda: not isinstance(seat.app.screen, FormScreen))


async def test_settings_that_are_no_table_are_for_the_editor(open_bench: OpenBench, sit: Sit) -> None:
    text = 'local settings = { every = "1h" }\nlocal job = core.job(settings)\njob.run = print\nreturn job\n'
    async with open_bench({"report": text}), sit() as seat:
        await seat.reads("report")
        await seat.press("slash", *"report", "enter", "o")
        await seat.reads("cannot be changed one by one", "line 2", "Ctrl+E")
        await seat.press("ctrl+e")
        await seat.reads("jobs › report › edit", "core.job(settings)")


async def test_a_form_that_has_nothing_to_fill_in_closes(open_bench: OpenBench, sit: Sit) -> None:
    async with open_bench({"report": FILE}), sit() as seat:
        await seat.reads("report")
        seat.app.go(FormPlace("nobody", False))
        await seat.reads("nobody", "NEXT")
        await until(lambda: not isinstance(seat.app.screen, FormScreen))
