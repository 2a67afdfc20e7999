"""The texts of job files in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import JobFileError
from engine.jobsources import JobSources


@pytest.fixture
def sources(tmp_path: Path) -> JobSources:
    for name in "abc":
        (tmp_path / f"{name}.lua").write_text(f"-- {name}, as it was first")
    return JobSources(tmp_path, 1000, kept_bytes=60)


async def test_a_text_is_the_same_object_until_the_file_changes(sources: JobSources, tmp_path: Path) -> None:
    first = await sources.present("a.lua")
    assert await sources.present("a.lua") is first
    (tmp_path / "a.lua").write_text("-- a, another one")
    assert (await sources.present("a.lua")).text == b"-- a, another one"


async def test_the_texts_that_were_asked_for_last_stay(sources: JobSources) -> None:
    first, _ = [await sources.present(f"{name}.lua") for name in "ab"]
    assert await sources.present("a.lua") is first
    third = await sources.present("c.lua")
    assert await sources.present("a.lua") is first
    assert await sources.present("c.lua") is third


async def test_the_text_that_was_not_asked_for_goes(sources: JobSources) -> None:
    first, *_ = [await sources.present(f"{name}.lua") for name in "abc"]
    again = await sources.present("a.lua")
    assert again is not first
    assert again == first


async def test_a_file_that_is_gone_leaves_nothing_in_memory(sources: JobSources, tmp_path: Path) -> None:
    await sources.present("a.lua")
    (tmp_path / "a.lua").unlink()
    with pytest.raises(JobFileError, match="missing"):
        await sources.present("a.lua")
    second, third = [await sources.present(f"{name}.lua") for name in "bc"]
    assert await sources.present("b.lua") is second
    assert await sources.present("c.lua") is third
