"""What a run records of the code it ran, in a real engine."""

from __future__ import annotations

from pathlib import Path

from tests.engine.conftest import Bench, OpenBench

JOB = """
local job = core.job { version = "1.0" }
local prices = require "lib.prices"
function job.run(run)
  local late = require "lib.late"
  return job.OK, prices.net(10) + late
end
return job
"""
PRICES = "return { net = function(gross) return gross - 1 end }\n"
LATE = "return 1\n"
FILES = {"shop": JOB, "lib/prices": PRICES, "lib/late": LATE}


def write_library(bench: Bench, name: str, text: str) -> Path:
    path = bench.jobs_folder / "lib" / f"{name}.lua"
    path.write_text(text, "utf-8")
    return path


async def test_a_run_records_its_code_its_version_and_the_modules_it_was_given(open_bench: OpenBench) -> None:
    async with open_bench(FILES) as bench:
        run = await bench.run("shop")
        used = {"lib.prices", "lib.late"}
        assert (run.status, run.version, set(run.modules or {})) == ("COMPLETE", "1.0", used)
        source = await bench.desk.history.source(run.id)
        assert (source.text, source.path, source.version) == (JOB, "shop.lua", "1.0")
        assert source.modules["lib.prices"].text == PRICES
        assert source.modules["lib.late"].path == "lib/late.lua"


async def test_the_code_of_two_runs_and_of_now_is_compared(open_bench: OpenBench) -> None:
    async with open_bench(FILES) as bench:
        first = await bench.run("shop")
        write_library(bench, "prices", PRICES.replace("- 1", "- 2"))
        second = await bench.run("shop")
        changed = await bench.desk.history.diff(first.id, second.id)
        assert [one.path for one in changed.files] == ["lib/prices.lua"]
        assert "+return { net = function(gross) return gross - 2 end }" in changed.files[0].diff
        assert (await bench.desk.history.diff(second.id, None)).files == []
        bench.write("shop", JOB.replace("net(10)", "net(20)"))
        write_library(bench, "late", LATE).unlink()
        now = await bench.desk.history.diff(first.id, None)
        assert (now.before, now.after) == (f"run {first.id}", "now")
        assert [one.path for one in now.files] == ["lib/late.lua", "lib/prices.lua", "shop.lua"]


async def test_a_reload_tells_which_modules_changed_and_who_is_known_to_use_them(
    open_bench: OpenBench,
) -> None:
    other = "local job = core.job {}\nfunction job.run() return job.OK end\nreturn job\n"
    async with open_bench({**FILES, "other": other}) as bench:
        write_library(bench, "prices", PRICES.replace("- 1", "- 2"))
        assert (await bench.reload()).modules == {"lib.prices": ["shop"]}
        write_library(bench, "late", "return 2\n")
        assert (await bench.reload()).modules == {}
        await bench.run("shop")
        write_library(bench, "late", "return 3\n")
        assert (await bench.reload()).modules == {"lib.late": ["shop"]}
        assert (await bench.reload()).modules == {}


async def test_the_version_is_the_one_of_the_settings_when_the_run_started(open_bench: OpenBench) -> None:
    async with open_bench(FILES) as bench:
        first = await bench.run("shop")
        bench.write("shop", JOB.replace("1.0", "1.1"))
        await bench.reload()
        second = await bench.run("shop")
        assert (first.version, second.version) == ("1.0", "1.1")
