"""What files declared is remembered from one engine to the next, and never used once it may be outdated."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from engine.extensions.plugins import Candidate, find_plugins, load_plugins
from engine.parts import declaring_fingerprint
from engine.settings import load_settings
from tests.engine.conftest import Bench, OpenBench
from tests.homebases import rows_of

PLAIN = 'local job = core.job { every = "1h" }\nfunction job.run() return job.OK end\nreturn job\n'
WITH_LIBRARY = f'local often = require "lib.often"\n{PLAIN.replace(chr(34) + "1h" + chr(34), "often")}'
BAD = "this is no Lua\n"

Change = Callable[[Path], object]


def statement(sql: str, **values: object) -> Change:
    """Return a change of the database, by hand, as damage would."""

    def change(home: Path) -> object:
        return rows_of(load_settings(home).database_url(home), sql, **values)

    return change


def library(words: str) -> Change:
    """Return the writing of the library module."""

    def change(home: Path) -> object:
        (home / "jobs" / "lib").mkdir(parents=True, exist_ok=True)
        return (home / "jobs" / "lib" / "often.lua").write_text(words)

    return change


def nothing(home: Path) -> object:
    return None


def declared(bench: Bench) -> int:
    return bench.engine.catalog.files.declaring.declared_files


def settings_of(bench: Bench, name: str) -> object:
    found = bench.engine.catalog.job(name).settings
    return found and found.every


@asynccontextmanager
async def started_again(
    open_bench: OpenBench, home: Path, jobs: dict[str, str], change: Change, toml: str = ""
) -> AsyncIterator[Bench]:
    """Start an engine on these jobs, stop it, change something, and start another one."""
    async with open_bench(jobs) as first:
        assert declared(first) == len(jobs)
    change(home)
    async with open_bench(toml=toml) as second:
        yield second


async def test_a_later_start_declares_no_file_that_did_not_change(
    open_bench: OpenBench, tmp_path: Path
) -> None:
    library('return "2h"')(tmp_path)
    jobs = {"a": PLAIN, "b": WITH_LIBRARY}
    async with started_again(open_bench, tmp_path, jobs, nothing) as bench:
        assert declared(bench) == 0
        assert b"moontide_files_declared_total 0.0" in bench.desk.metrics()
        assert (settings_of(bench, "a"), settings_of(bench, "b")) == (3600.0, 7200.0)
        assert (await bench.run("b")).status == "COMPLETE"


@pytest.mark.parametrize(
    "damage",
    [
        statement("UPDATE declared SET body = :body WHERE job = 'a'", body=b"\0"),
        statement("UPDATE declared SET body = '' WHERE job = 'a'"),
        statement("UPDATE declared SET body = 'text' WHERE job = 'a'"),
        statement("UPDATE declared SET seal = '' WHERE job = 'a'"),
        statement("UPDATE declared SET body = (SELECT body FROM declared WHERE job = 'b') WHERE job = 'a'"),
        statement("DELETE FROM declared WHERE job = 'a'"),
    ],
    ids=["zero", "empty", "text", "seal", "other", "gone"],
)
async def test_a_damaged_row_is_not_used(open_bench: OpenBench, tmp_path: Path, damage: Change) -> None:
    jobs = {"a": PLAIN, "b": PLAIN.replace("1h", "3h")}
    async with started_again(open_bench, tmp_path, jobs, damage) as bench:
        assert declared(bench) == 1
        assert (settings_of(bench, "a"), settings_of(bench, "b")) == (3600.0, 10800.0)


async def test_a_file_that_changed_is_declared_again_and_only_that_one(
    open_bench: OpenBench, tmp_path: Path
) -> None:
    def change(home: Path) -> object:
        return (home / "jobs" / "a.lua").write_text(PLAIN.replace("1h", "5h"))

    async with started_again(open_bench, tmp_path, {"a": PLAIN, "b": PLAIN}, change) as bench:
        assert declared(bench) == 1
        assert (settings_of(bench, "a"), settings_of(bench, "b")) == (18000.0, 3600.0)


async def test_the_same_text_under_another_name_is_declared(open_bench: OpenBench, tmp_path: Path) -> None:
    def change(home: Path) -> object:
        return (home / "jobs" / "a.lua").rename(home / "jobs" / "c.lua")

    async with started_again(open_bench, tmp_path, {"a": PLAIN}, change) as bench:
        assert declared(bench) == 1


async def test_a_changed_library_module_lets_its_users_be_declared(
    open_bench: OpenBench, tmp_path: Path
) -> None:
    library('return "2h"')(tmp_path)
    jobs = {"a": PLAIN, "b": WITH_LIBRARY}
    async with started_again(open_bench, tmp_path, jobs, library('return "4h"')) as bench:
        assert declared(bench) == 1
        assert settings_of(bench, "b") == 14400.0


async def test_a_library_module_that_appears_lets_its_users_be_declared(
    open_bench: OpenBench, tmp_path: Path
) -> None:
    optional = 'local there, often = pcall(require, "lib.often")\nif not there then often = "2h" end'
    jobs = {"b": WITH_LIBRARY.replace('local often = require "lib.often"', optional)}
    async with started_again(open_bench, tmp_path, jobs, library('return "4h"')) as bench:
        assert declared(bench) == 1
        assert settings_of(bench, "b") == 14400.0


@pytest.mark.parametrize("asking", ["os.time()", "math.random(0)", "tonumber(os.date('%Y'))", "job.dayNum()"])
async def test_a_file_that_asks_for_time_or_chance_is_declared_at_each_start(
    open_bench: OpenBench, tmp_path: Path, asking: str
) -> None:
    asks = PLAIN.replace("return job\n", f"if {asking} == -1 then error() end\nreturn job\n")
    async with started_again(open_bench, tmp_path, {"a": PLAIN, "b": asks}, nothing) as bench:
        assert declared(bench) == 1


async def test_a_file_that_cannot_be_used_is_declared_at_each_start(
    open_bench: OpenBench, tmp_path: Path
) -> None:
    async with started_again(open_bench, tmp_path, {"a": PLAIN, "b": BAD}, nothing) as bench:
        assert declared(bench) == 1
        assert bench.desk.job("b").status == "INVALID"


async def test_another_set_of_plugins_lets_all_files_be_declared(
    open_bench: OpenBench, tmp_path: Path
) -> None:
    toml = '[plugins]\ndisable = ["sqlite"]\n'
    async with started_again(open_bench, tmp_path, {"a": PLAIN, "b": PLAIN}, nothing, toml) as bench:
        assert declared(bench) == 2


async def test_what_is_remembered_is_judged_by_the_settings_of_today(
    open_bench: OpenBench, tmp_path: Path
) -> None:
    jobs = {"a": PLAIN.replace("every", 'timeout = "30m", every')}
    toml = '[limits]\ntimeout = "1m"\n'
    async with started_again(open_bench, tmp_path, jobs, nothing, toml) as bench:
        assert declared(bench) == 0
        assert "limits.timeout" in bench.desk.job("a").reason


async def test_nothing_stays_of_a_file_that_is_gone(open_bench: OpenBench, tmp_path: Path) -> None:
    async with open_bench({"a": PLAIN, "b": PLAIN, "c": PLAIN}) as first:
        (first.jobs_folder / "b.lua").unlink()
        await first.reload()
    (tmp_path / "jobs" / "c.lua").unlink()
    async with open_bench():
        pass
    assert statement("SELECT job FROM declared")(tmp_path) == [("a",)]


async def test_a_file_that_came_while_the_engine_ran_is_remembered_too(
    open_bench: OpenBench, tmp_path: Path
) -> None:
    async with open_bench({"a": PLAIN}) as first:
        first.write("b", PLAIN.replace("1h", "2h"))
        await first.reload("b")
    async with open_bench() as second:
        assert declared(second) == 0


def test_the_fingerprint_is_another_for_another_version_of_a_plugin() -> None:
    entry = EntryPoint(name="slack", value="tests.engine.strangers.slack", group="moontide")
    slack = Candidate(name="slack", version="1.0", origin="strangers", entry=entry)
    own = find_plugins()
    prints = {
        declaring_fingerprint(load_plugins(candidates=candidates))
        for candidates in (own, [*own, slack], [*own, replace(slack, version="1.1")])
    }
    assert len(prints) == 3
