"""What a job file would be if it were saved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from engine.desks.drafts import COMING, DraftDesk
from engine.errors import JobFileError
from engine.extensions.plugins import load_plugins
from engine.jobs.jobfile import SETTINGS
from engine.parts import make_job_files, make_pool
from engine.settings import Settings
from engine.times.clock import SystemClock

FILE = """local job = core.job {
  every = "1h", -- now and then
}

function job.run()
  return job.OK
end

return job
"""


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[DraftDesk]:
    settings = Settings()
    plugins = load_plugins(())
    pool = make_pool(settings, plugins)
    await pool.start()
    try:
        yield DraftDesk(
            clock=SystemClock(), files=make_job_files(tmp_path, pool, settings), modules=plugins.modules
        )
    finally:
        await pool.stop()


async def test_a_good_text_tells_its_schedule_and_what_comes(desk: DraftDesk) -> None:
    before = datetime.now(UTC)
    draft = await desk.draft("report", FILE, {}, {})
    assert (draft.text, draft.error, draft.fixed) == (FILE, None, "")
    assert [(entry.name, entry.text, entry.value) for entry in draft.entries] == [("every", '"1h"', "1h")]
    assert draft.schedule == "every 1h"
    assert draft.settings is not None
    assert draft.settings["every"] == 3600.0
    assert len(draft.coming) == COMING
    assert timedelta(minutes=59) < draft.coming[0].due - before < timedelta(minutes=61)
    assert draft.coming[1].due - draft.coming[0].due == timedelta(hours=1)


async def test_changed_settings_are_judged_as_if_they_were_saved(desk: DraftDesk) -> None:
    draft = await desk.draft(
        "report", FILE, {"every": None, "cron": "0 9 * * MON", "timezone": "Europe/Berlin"}, {}
    )
    assert draft.text == FILE.replace(
        '  every = "1h", -- now and then\n', '  cron = "0 9 * * MON",\n  timezone = "Europe/Berlin",\n'
    )
    assert draft.schedule == "cron 0 9 * * MON (Europe/Berlin)"
    assert {coming.due.weekday() for coming in draft.coming} == {0}


async def test_a_bad_value_says_what_is_allowed_and_loses_nothing(desk: DraftDesk) -> None:
    draft = await desk.draft("report", FILE, {"every": "often"}, {})
    assert draft.error is not None
    assert 'every = "often"' in draft.error
    assert draft.text == FILE.replace('"1h"', '"often"')
    assert (draft.settings, draft.schedule, draft.coming) == (None, "", [])


async def test_an_error_of_the_text_has_its_line(desk: DraftDesk) -> None:
    draft = await desk.draft("report", FILE.replace("function job.run()", "function job.run("), {}, {})
    assert draft.error is not None
    assert draft.line == 6
    assert [entry.name for entry in draft.entries] == ["every"]


async def test_every_problem_of_the_settings_has_the_line_of_its_setting(desk: DraftDesk) -> None:
    text = FILE.replace('"1h", -- now and then', '"often",\n  retries = -1,\n  evry = 2,')
    draft = await desk.draft("report", text, {}, {})
    found = {(one.line, one.reason.split()[0]) for one in draft.problems}
    assert found == {(4, "unknown"), (2, "every"), (3, "retries")}
    assert draft.error == "; ".join(one.reason for one in draft.problems)


async def test_problems_of_settings_that_are_no_table_have_no_line(desk: DraftDesk) -> None:
    text = (
        "local settings = { every = 'often' }\nlocal job = core.job(settings)\njob.run = print\nreturn job\n"
    )
    draft = await desk.draft("report", text, {}, {})
    assert [one.line for one in draft.problems] == [None]


async def test_a_good_text_has_no_problems_and_a_broken_one_its_own(desk: DraftDesk) -> None:
    broken = FILE.replace("function job.run()", "function job.run(")
    assert (await desk.draft("report", FILE, {}, {})).problems == []
    assert [one.line for one in (await desk.draft("report", broken, {}, {})).problems] == [6]


async def test_settings_that_are_no_table_can_be_judged_but_not_changed(desk: DraftDesk) -> None:
    text = "local settings = { every = 60 }\nlocal job = core.job(settings)\njob.run = print\nreturn job\n"
    draft = await desk.draft("report", text, {}, {})
    assert draft.error is None
    assert draft.schedule == "every 1m"
    assert "line 2" in draft.fixed
    with pytest.raises(JobFileError, match="change it in the editor"):
        await desk.draft("report", text, {"every": "5m"}, {})


async def test_a_name_that_is_none_is_refused(desk: DraftDesk) -> None:
    with pytest.raises(JobFileError):
        await desk.draft("../report", FILE, {}, {})


async def test_each_setting_is_explained(desk: DraftDesk) -> None:
    views = {view.name: view for view in desk.settings()}
    assert len(views) == len(SETTINGS)
    assert all(view.help and view.example for view in views.values())
    draft = await desk.draft("report", FILE, {}, {})
    assert draft.settings is not None
    assert draft.settings.keys() == views.keys()


async def test_values_are_taken_as_people_type_them(desk: DraftDesk) -> None:
    typed = {
        "every": "",
        "cron": "0 9 * * *",
        "description": 'Say "hello"',
        "tags": 'team = "shop"',
        "retries": "2",
    }
    draft = await desk.draft("report", FILE, {}, typed)
    assert draft.error is None
    assert draft.settings is not None
    assert draft.settings["tags"] == {"team": "shop"}
    assert draft.settings["retries"] == 2
    assert {entry.name: entry.typed for entry in draft.entries} == {
        "cron": "0 9 * * *",
        "description": 'Say "hello"',
        "tags": '{ team = "shop" }',
        "retries": "2",
    }
    assert (
        await desk.draft("report", draft.text, {}, {entry.name: entry.typed for entry in draft.entries})
    ) == draft
