"""JSON text of megabytes in `core.json`, within the job's own memory."""

from __future__ import annotations

import pytest

from engine.sandbox.program import EndKind

from .conftest import Run

pytestmark = pytest.mark.asyncio(loop_scope="package")

MB = 2**20


@pytest.mark.parametrize(
    "value",
    [
        '{ text = ("x"):rep(10 * 2^20 - 11) }',
        '{ text = ("€"):rep(3 * 2^20) }',
        '{ text = ("\\"\\\\"):rep(2 * 2^20) }',
        '(function() local t = {} for n = 1, 90000 do t[n] = "toy number " .. n end return t end)()',
    ],
    ids=["ascii", "three bytes", "escaped", "many"],
)
async def test_text_of_ten_megabytes_goes_there_and_back(run: Run, value: str) -> None:
    ending = await run(
        f"local given = {value}\nlocal back = core.json.decode(core.json.encode(given))\n"
        "for key, item in pairs(given) do assert(back[key] == item) end return job.OK",
        memory_bytes=128 * MB,
    )
    assert ending.kind is EndKind.RETURNED, ending.error


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('core.json_safe.encode({ text = ("x"):rep(10 * 2^20) })', "larger than 10 MB"),
        ('core.json_safe.encode({ text = ("\\1"):rep(2 * 2^20) })', "larger than 10 MB"),
        ("core.json_safe.decode('[\"' .. ('x'):rep(10 * 2^20) .. '\"]')", "larger than 10 MB"),
    ],
)
async def test_more_than_ten_megabytes_are_refused(run: Run, body: str, problem: str) -> None:
    ending = await run(f"return job.OK, {{ select(2, {body}) }}", memory_bytes=128 * MB)
    assert ending.kind is EndKind.RETURNED, ending.error
    assert problem in ending.result[0]


async def test_what_does_not_fit_into_the_jobs_memory_is_an_error_and_the_run_goes_on(run: Run) -> None:
    ending = await run(
        'local text = "[\\"" .. ("x"):rep(9 * 2^20) .. "\\"]"\n'
        "return job.OK, { select(2, core.json_safe.decode(text)) }",
        memory_bytes=24 * MB,
    )
    assert ending.kind is EndKind.RETURNED, ending.error
    assert ending.result == [
        "core.json.decode: there is no room for it in the job's memory; see the setting `memory`",
        830,
    ]


async def test_millions_of_small_values_never_break_the_worker(run: Run) -> None:
    ending = await run(
        'local text = "[" .. ("{},"):rep(3 * 2^20) .. "[]]"\n'
        "return job.OK, select(2, core.json_safe.decode(text)) ~= nil",
        memory_bytes=256 * MB,
    )
    assert ending.kind in (EndKind.RETURNED, EndKind.MEMORY), ending.error
