"""What belongs to web requests answers jobs in words, and ends nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.lab import Lab, open_lab, open_pool, plugins_with

in_module_loop = pytest.mark.asyncio(loop_scope="module")

WEB = "only in a web request"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("request")
    plugins = plugins_with()
    async with open_pool(plugins) as pool, open_lab(pool, plugins, folder, folder) as lab:
        yield lab


@in_module_loop
@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("core.countryCode()", WEB),
        ("core.geoip.city()", WEB),
        ("core.geoip.countryCode3('x')", WEB),
        ("core.pages.new({ path = '/' })", WEB),
        ("core.api()", WEB),
        ("core.callApi('shop', 'list', {})", WEB),
        ("core.error('no', 12)", WEB),
        ("core.timer(2, function() end, true)", "core.timer needs the job to end; use core.jobs.after"),
    ],
)
async def test_a_job_is_told_what_only_a_web_request_can_do(lab: Lab, call: str, words: str) -> None:
    outcome = await lab.run(
        "asks",
        f"local job = core.job() function job.run() return job.OK, {{ select(2, {call}) }} end return job",
    )
    assert outcome.error is None
    assert outcome.result == [words, 810]


@in_module_loop
async def test_all_of_geoip_is_there(lab: Lab) -> None:
    count = "local n = 0 for _, f in pairs(core.geoip) do n = n + select(3, f()) end return job.OK, n"
    outcome = await lab.run("counts", f"local job = core.job() function job.run() {count} end return job")
    assert outcome.result == 10 * 810


@in_module_loop
async def test_outside_of_run_they_raise_like_any_other(lab: Lab) -> None:
    found = await lab.declare("early", "core.countryCode() return core.job()")
    assert "core.countryCode: only inside job.run()" in (found.error or "")
