"""Jobs whose files go and come, and due times that meet other runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from engine.rules.slots import REMOVED
from engine.times.clock import ManualClock
from moontide import Outcome, Returned, RunStatus
from tests.engine.conftest import until
from tests.engine.model.driven import DrivenEngine

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FILE = "local job = core.job {{ every = '1m', {} }}\nfunction job.run() return job.OK end\nreturn job\n"
OK = Outcome(RunStatus.COMPLETE, Returned.OK)


class Folder:
    """One engine with one job, `a`, and the folder in which its file may be."""

    def __init__(self, home: Path) -> None:
        self.clock = ManualClock(START)
        self.engine = DrivenEngine(home, self.clock, pool=0, group_limits={}, tag_limits={})
        self.file = home / "jobs/a.lua"

    def write(self, settings: str = "") -> None:
        self.file.write_text(FILE.format(settings), "utf-8")

    async def goes_on(self, runs: int) -> None:
        """Wait until so many runs were made, and those under way are with the executor."""

        async def there() -> bool:
            seen = await self.engine.seen()
            found = seen.runs.get("a", [])
            return len(found) == runs and seen.under_way == sum(run.status == "RUNNING" for run in found)

        await until(there)


@pytest_asyncio.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    folder = Folder(tmp_path)
    folder.write()
    await folder.engine.start()
    yield folder
    await folder.engine.stop()


async def test_a_file_that_went_while_no_engine_ran_is_noted_as_removed(folder: Folder) -> None:
    await folder.engine.stop()
    folder.file.unlink()
    await folder.engine.start()
    assert (await folder.engine.seen()).stored == {}
    (slot,) = await folder.engine.slots("a")
    assert (slot.due, slot.fate, slot.reason) == (START + MINUTE, "skipped", REMOVED)


async def test_a_file_that_is_back_makes_no_run_for_times_at_which_it_was_away(folder: Folder) -> None:
    folder.file.unlink()
    await folder.engine.reload()
    folder.clock.advance(150)
    folder.write()
    await folder.engine.reload()
    seen = await folder.engine.seen()
    assert (seen.jobs["a"].next, seen.runs) == (START + 3 * MINUTE, {})
    assert [slot.reason for slot in await folder.engine.slots("a")] == [REMOVED]


async def test_a_run_counts_although_its_file_went_and_came_meanwhile(folder: Folder) -> None:
    await folder.engine.run("a")
    await folder.goes_on(runs=1)
    folder.file.unlink()
    await folder.engine.reload()
    folder.write()
    await folder.engine.reload()
    await folder.engine.finish("a", 0, Outcome(RunStatus.COMPLETE, Returned.EXIT))
    await until(lambda: folder.engine.job("a").status == "INACTIVE")
    assert (await folder.engine.seen()).stored == {"a": ("INACTIVE", False)}


@pytest.mark.parametrize("overlap", ["coalesce", "skip"])
async def test_a_run_once_job_whose_time_met_others_waiting_still_has_its_run(
    folder: Folder, overlap: str
) -> None:
    folder.write(f"run_once = true, overlap = '{overlap}'")
    await folder.engine.reload()
    for number in range(1, 3):
        await folder.engine.run("a")
        await folder.goes_on(runs=number)
    folder.clock.advance(60)
    await until(lambda: folder.engine.job("a").next_run == START + 2 * MINUTE)
    await folder.engine.finish("a", 0, OK)
    await until(lambda: folder.engine.under_way() == 1)
    await folder.engine.finish("a", 1, OK)
    await until(lambda: folder.engine.job("a").activity == "idle")
    assert folder.engine.job("a").status == "ONCE"
    folder.clock.advance(60)
    await folder.goes_on(runs=3)
    await folder.engine.finish("a", 2, OK)
    await until(lambda: folder.engine.job("a").status == "ONCE DONE")
