"""core.log: levels, values of all types, and what happens to many or long lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import open_lab, open_pool, plugins_with


async def logged(folder: Path, body: str) -> list[str]:
    """Run some Lua and return the lines that it wrote."""
    plugins = plugins_with()
    async with open_pool(plugins) as pool, open_lab(pool, plugins, folder, folder) as lab:
        outcome = await lab.run(
            "log", f"local job = core.job() function job.run() {body} return job.OK end return job"
        )
        assert outcome.error is None
        return lab.log


@pytest.mark.parametrize("level", ["debug", "info", "warn", "error"])
async def test_a_line_has_the_level_of_the_function_that_wrote_it(tmp_path: Path, level: str) -> None:
    assert await logged(tmp_path, f'core.log.{level}("stock", 3)') == [f"{level}: stock 3"]


async def test_called_itself_log_writes_at_info_with_values_of_any_type(tmp_path: Path) -> None:
    lines = await logged(tmp_path, 'core.log("a", nil, 1.5, true, { 1, x = "y" }) core.log() print("p", 2)')
    assert lines == ['info: a nil 1.5 true {1, x = "y"}', "info: ", "info: p\t2"]


async def test_the_metatable_that_makes_log_a_function_is_hidden(tmp_path: Path) -> None:
    assert await logged(tmp_path, "core.log(getmetatable(core.log))") == ["info: false"]
