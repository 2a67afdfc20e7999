"""Reading the jobs folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from engine.catalog.jobfiles import JobFiles
from engine.catalog.judging import Judge
from engine.jobsources import Library
from engine.run import Limits
from engine.sandbox.program import Declaration


class Busy:
    """Declares files as a machine does that is too busy at first."""

    def __init__(self, **interruptions: int) -> None:
        self.interruptions = interruptions
        self.asked: Counter[str] = Counter()

    async def declare(self, path: str, text: bytes, library: Library) -> Declaration:
        self.asked[path] += 1
        if self.asked[path] <= self.interruptions.get(Path(path).stem, 0):
            return Declaration(None, f"{path}: stopped after 1 s", interrupted=True)
        return Declaration({"every": 60})


def files_of(folder: Path, declare: Busy) -> JobFiles:
    judge = Judge(timezone="UTC", ceilings=Limits(), named_schedules={}, named_blackouts={})
    return JobFiles(folder, declare=declare.declare, judge=judge, source_bytes=1000)


async def test_a_file_whose_reading_was_interrupted_gets_a_second_try(tmp_path: Path) -> None:
    (tmp_path / "once.lua").write_text("-- interrupted once")
    (tmp_path / "always.lua").write_text("-- interrupted always")
    busy = Busy(once=1, always=99)
    found = {one.name: one.error for one in await files_of(tmp_path, busy).look()}
    assert found == {"once": None, "always": "always.lua: stopped after 1 s"}
    assert busy.asked == {"once.lua": 2, "always.lua": 2}


async def test_a_file_that_did_not_change_is_not_declared_again(tmp_path: Path) -> None:
    (tmp_path / "a.lua").write_text("-- one")
    busy = Busy()
    files = files_of(tmp_path, busy)
    await files.look()
    await files.look()
    assert busy.asked["a.lua"] == 1
    (tmp_path / "a.lua").write_text("-- two, longer")
    await files.look()
    assert busy.asked["a.lua"] == 2
