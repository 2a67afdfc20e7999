"""Core calls of one run: whatever a plugin does, the run and the engine go on."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.settings import load_settings
from tests.engine.extensions.test_plugins import stranger
from tests.engine.strangers import moody
from tests.lab import Lab, open_lab, open_pool, plugins_with


@pytest.fixture
async def lab(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    (tmp_path / "jobs").mkdir()
    mode = getattr(request, "param", "open")
    (tmp_path / "moontide.toml").write_text(f'permissions = "{mode}"\n')
    plugins = plugins_with([stranger("moody")])
    moody.noticed.clear()
    async with (
        open_pool(plugins) as pool,
        open_lab(
            pool, plugins, tmp_path / "jobs", tmp_path, home=tmp_path, settings=load_settings(tmp_path)
        ) as opened,
    ):
        yield opened


async def answer(lab: Lab, call: str, settings: str = "") -> list[Any]:
    """Return what a call gives to Lua: value, message and code."""
    text = f"""
local job = core.job {{ {settings} }}
function job.run()
  local value, message, code = {call}
  return job.OK, {{ tostring(value), message, code }}
end
return job
"""
    ended = await lab.run("a", text)
    assert ended.error is None, ended.error
    return list(ended.result)


async def test_a_call_that_takes_too_long_ends_with_an_error(lab: Lab) -> None:
    assert await answer(lab, "core.moody.dawdle()") == [
        "nil",
        "core.moody.dawdle: no answer within 0.2 s",
        810,
    ]
    assert moody.noticed.is_set()


async def test_a_call_that_is_open_when_its_run_is_stopped_is_cancelled(lab: Lab) -> None:
    text = """
local job = core.job { timeout = "300ms" }
function job.run() core.moody.wait() return job.OK end
return job
"""
    ended = await lab.run("a", text)
    assert ended.error == "stopped after 0.3 s: the job's timeout"
    assert moody.noticed.is_set()


async def test_a_function_that_breaks_names_its_plugin_in_the_log_and_tells_lua_nothing_of_it(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        _, message, code = await answer(lab, 'core.moody["break"]("hunter2")')
    assert (message, code) == ("core.moody.break failed inside its plugin; the engine's log says more", 810)
    assert "moody.py" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert await answer(lab, 'core.moody.reach("here")') == ["here"]


async def test_what_a_function_refuses_reaches_lua_with_its_code(lab: Lab) -> None:
    assert await answer(lab, "core.moody.refuse()") == ["nil", "not today", 815]


async def test_an_answer_that_lua_cannot_have_is_an_error(lab: Lab) -> None:
    value, message, code = await answer(lab, "core.moody.odd()")
    assert (value, code) == ("nil", 800)
    assert "core.moody.odd" in message


async def test_a_wrong_argument_stands_in_the_log_as_a_warning(lab: Lab) -> None:
    assert (await answer(lab, "core.moody.reach(7)"))[1:] == [
        "core.moody.reach: place must be a string, got a number",
        801,
    ]
    assert lab.log == ["warn: core.moody.reach: place must be a string, got a number"]


@pytest.mark.parametrize("lab", ["declared"], indirect=True)
async def test_what_a_job_does_not_list_is_refused_before_the_function_runs(lab: Lab) -> None:
    refused = await answer(lab, 'core.moody["break"]("x")', "allow = { data = true }")
    assert refused[1:] == ["job a may not use core.moody; its allow does not list moody", 801]
    here = 'allow = { moody = { "here" } }'
    assert await answer(lab, 'core.moody.reach("here")', here) == ["here"]
    assert (await answer(lab, 'core.moody.reach("there")', here))[2] == 801
    assert lab.log[-2:] == [
        "warn: job a may not reach there by core.moody; its allow does not list it",
        "warn: calls refused in this run: 1; its allow does not list them",
    ]
