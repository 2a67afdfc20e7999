"""What operators see of settings, of the library, and of the planned times of all jobs."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import JobFileError
from engine.views import ModuleView
from tests.engine.conftest import Bench, OpenBench, until

USES = """local money = require "lib.money"
local job = core.job { every = "1h" }
function job.run() return job.OK end
return job
"""
MONEY = "return { tax = 19 }\n"


async def library(bench: Bench) -> dict[str, ModuleView]:
    return {module.name: module for module in await bench.desk.overview.library()}


async def test_a_module_tells_its_file_and_who_uses_it(open_bench: OpenBench) -> None:
    async with open_bench({"a": USES, "b": USES, "lib/money": MONEY, "lib/deep/idle": MONEY}) as bench:
        modules = await library(bench)
        money = modules["lib.money"]
        assert (money.path, money.jobs, money.stale) == ("lib/money.lua", ["a", "b"], [])
        assert money.hash == hashlib.sha256(MONEY.encode()).hexdigest()
        assert money.size == len(MONEY)
        assert money.changed is not None
        assert abs(datetime.now(UTC) - money.changed) < timedelta(hours=1)
        assert modules["lib.deep.idle"].jobs == []


async def test_a_changed_module_is_stale_until_a_reload(open_bench: OpenBench) -> None:
    async with open_bench({"a": USES, "lib/money": MONEY}) as bench:
        bench.write("lib/money", "return { tax = 7 }\n")
        assert (await library(bench))["lib.money"].stale == ["a"]
        await bench.reload()
        assert (await library(bench))["lib.money"].stale == []


async def test_a_module_that_is_gone_is_listed_with_the_reason(open_bench: OpenBench) -> None:
    async with open_bench({"a": USES, "lib/money": MONEY}) as bench:
        (bench.jobs_folder / "lib/money.lua").unlink()
        money = (await library(bench))["lib.money"]
        assert (money.hash, money.jobs) == (None, ["a"])
        assert money.problem


async def test_links_out_of_the_folder_and_odd_names_are_no_modules(open_bench: OpenBench) -> None:
    async with open_bench({"a": USES, "lib/money": MONEY}) as bench:
        secret = bench.engine.home / "secret.lua"
        secret.write_text("return 'secret'")
        (bench.jobs_folder / "lib/link.lua").symlink_to(secret)
        (bench.jobs_folder / "lib/up").symlink_to(bench.engine.home)
        (bench.jobs_folder / "lib/read me.lua").write_text("return {}")
        assert list(await library(bench)) == ["lib.money"]


async def test_the_text_of_a_module_is_shown_and_of_nothing_else(open_bench: OpenBench) -> None:
    async with open_bench({"a": USES, "lib/money": MONEY}) as bench:
        text, text_hash = await bench.desk.overview.module_source("lib.money")
        assert (text, text_hash) == (MONEY, hashlib.sha256(MONEY.encode()).hexdigest())
        for name in ("a", "lib.none", "lib...a", "lib./etc/passwd"):
            with pytest.raises(JobFileError):
                await bench.desk.overview.module_source(name)


async def test_without_a_library_the_list_is_empty(open_bench: OpenBench) -> None:
    async with open_bench({}) as bench:
        assert await library(bench) == {}


async def test_the_planned_times_of_all_jobs_are_one_list(open_bench: OpenBench) -> None:
    each_second = USES.replace("1h", "1s").replace('local money = require "lib.money"\n', "")
    async with open_bench({"a": each_second, "b": each_second}) as bench:
        await until(lambda: bool(bench.ends("a")) and bool(bench.ends("b")))
        slots = await bench.desk.ledger.slots(None)
        assert {slot.job for slot in slots} == {"a", "b"}
        assert [slot.due for slot in slots] == sorted((slot.due for slot in slots), reverse=True)
        assert len(await bench.desk.ledger.slots(None, limit=1)) == 1
