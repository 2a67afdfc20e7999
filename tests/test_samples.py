"""The sample jobs run out of the box, and do what their first lines say."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.extensions.plugins import Plugins
from engine.run import Outcome
from engine.sandbox.pool import WorkerPool
from engine.states import Returned, RunStatus
from tests.lab import Lab, open_lab, open_pool, plugins_with

JOBS = Path(__file__).parent.parent / "jobs"
DAY = 24 * 60 * 60

#: What each sample returns on its first run in an empty store.
FIRST_RETURNS = {
    "after_reload": Returned.OK,
    "heartbeat": Returned.OK,
    "notes/add": Returned.OK,
    "notes/cleanup": Returned.OK,
    "notes/digest": Returned.OK,
    "notes/friday_report": Returned.OK,
    "notes/upgrade": Returned.EXIT,
    "setup": Returned.OK,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[tuple[WorkerPool, Plugins]]:
    plugins = plugins_with()
    async with open_pool(plugins) as pool:
        yield pool, plugins


@pytest_asyncio.fixture(loop_scope="module")
async def lab(workers: tuple[WorkerPool, Plugins], tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(*workers, JOBS, tmp_path) as lab:
        yield lab


in_module_loop = pytest.mark.asyncio(loop_scope="module")


async def run(lab: Lab, name: str, data: Any = None) -> Outcome:
    outcome = await lab.run(name, (JOBS / f"{name}.lua").read_text("utf-8"), data)
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    assert outcome.result_note is None
    return outcome


async def notes(lab: Lab) -> list[dict[str, Any]]:
    return await lab.documents.find("notes", {}, limit=1000)


@in_module_loop
async def test_every_sample_is_read_without_a_problem(lab: Lab) -> None:
    found = await lab.files.look()
    assert {one.name: one.error for one in found} == dict.fromkeys(FIRST_RETURNS)
    assert all(one.settings and one.settings.description for one in found)


@in_module_loop
async def test_a_sample_runs_every_few_seconds(lab: Lab) -> None:
    intervals = [one.settings.every for one in await lab.files.look() if one.settings]
    assert min(seconds for seconds in intervals if seconds is not None) <= 5


@in_module_loop
@pytest.mark.parametrize(("name", "returned"), FIRST_RETURNS.items())
async def test_a_sample_runs_out_of_the_box(lab: Lab, name: str, returned: Returned) -> None:
    outcome = await run(lab, name)
    assert outcome.returned is returned
    assert outcome.result is not None
    assert lab.log


@in_module_loop
async def test_the_heartbeat_counts_and_averages_from_run_to_run(lab: Lab) -> None:
    counts = [(await run(lab, "heartbeat")).result["count"] for _ in range(3)]
    assert counts == [1, 2, 3]
    beats = await lab.documents.find("state", {"name": "heartbeat"}, limit=5)
    assert len(beats) == 1
    beats[0] |= {"last": int(time.time()) - 10, "gaps": 1, "total": 30}
    await lab.documents.save("state", beats[0])
    assert (await run(lab, "heartbeat")).result["average_seconds"] == pytest.approx(20, abs=1)


@in_module_loop
async def test_the_setup_writes_its_document_once(lab: Lab) -> None:
    assert (await run(lab, "setup")).result["created"] is True
    assert (await run(lab, "setup")).result == {"created": False}
    found = await lab.documents.find("config", {}, limit=5)
    assert [(document["name"], document["keep_days"]) for document in found] == [("notes", 30)]


@in_module_loop
async def test_the_check_after_a_reload_stops_after_three_and_can_start_again(lab: Lab) -> None:
    await run(lab, "heartbeat")
    for _ in range(2):
        ends = [await run(lab, "after_reload") for _ in range(3)]
        assert [end.returned for end in ends] == [Returned.OK, Returned.OK, Returned.STOP]
        assert ends[-1].result == {"checks": 3, "late": 0}


@in_module_loop
async def test_the_check_after_a_reload_sees_that_the_heartbeat_is_missing(lab: Lab) -> None:
    assert (await run(lab, "after_reload")).result == {"checks": 1, "late": 1}
    assert any(line.startswith("warn: check 1 of 3") for line in lab.log)


@in_module_loop
async def test_a_note_is_added_with_its_data(lab: Lab) -> None:
    result = (await run(lab, "notes/add", {"text": "  Water the plants "})).result
    assert result["added"] is True
    (note,) = await notes(lab)
    assert (note["_id"], note["text"], note["words"]) == (result["id"], "Water the plants", 3)


@in_module_loop
@pytest.mark.parametrize("data", [None, {}, {"text": "  "}, {"text": 5}, 5, "text", [1], True])
async def test_data_without_a_text_adds_nothing_and_fails_nobody(lab: Lab, data: Any) -> None:
    assert (await run(lab, "notes/add", data)).result == {"added": False}
    assert await notes(lab) == []


@in_module_loop
async def test_the_digest_waits_for_notes_and_then_sleeps(lab: Lab) -> None:
    assert (await run(lab, "notes/digest")).returned is Returned.OK
    await run(lab, "notes/add", {"text": "two words"})
    outcome = await run(lab, "notes/digest")
    assert outcome.returned is Returned.SLEEP
    assert outcome.result["words"] == 2
    assert len(await lab.documents.find("digests", {}, limit=5)) == 1


@in_module_loop
async def test_the_cleanup_removes_old_notes_and_keeps_the_others(lab: Lab) -> None:
    now = int(time.time())
    for _ in range(130):
        await lab.documents.save("notes", {"text": "old", "added": now - 40 * DAY})
    kept = await lab.documents.save("notes", {"text": "new", "added": now - 20 * DAY})
    assert (await run(lab, "notes/cleanup")).result == {"removed": 130, "found": 130}
    assert [note["_id"] for note in await notes(lab)] == [kept]


@in_module_loop
async def test_the_cleanup_obeys_the_settings_document(lab: Lab) -> None:
    await run(lab, "setup")
    (config,) = await lab.documents.find("config", {}, limit=1)
    await lab.documents.save("config", config | {"keep_days": 10})
    await lab.documents.save("notes", {"text": "old", "added": int(time.time()) - 20 * DAY})
    assert (await run(lab, "notes/cleanup")).result["removed"] == 1


@in_module_loop
async def test_the_report_counts_the_notes_of_the_week_when_asked(lab: Lab) -> None:
    await run(lab, "notes/add", {"text": "of this week"})
    await lab.documents.save("notes", {"text": "old", "words": 1, "added": int(time.time()) - 8 * DAY})
    outcome = await run(lab, "notes/friday_report", {"now": True})
    assert outcome.result == {"written": True, "notes": 1, "words": 3}
    assert len(await lab.documents.find("reports", {}, limit=5)) == 1


@in_module_loop
async def test_the_upgrade_goes_in_steps_and_switches_itself_off_when_done(lab: Lab) -> None:
    for number in range(60):
        await lab.documents.save("notes", {"text": f"note number {number}"})
    ends = [await run(lab, "notes/upgrade") for _ in range(3)]
    assert [end.returned for end in ends] == [Returned.OK, Returned.OK, Returned.EXIT]
    assert [end.result["changed"] for end in ends] == [50, 10, 0]
    assert {note["words"] for note in await notes(lab)} == {3}
    assert any("switches itself off" in line for line in lab.log)
