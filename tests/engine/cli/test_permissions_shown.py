"""What a job may do is told where people look: its page, the check, the API."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.service import Engine
from engine.settings import load_settings
from tests.engine.cli.conftest import Moontide
from tests.engine.conftest import OpenBench

ALLOWED = """
local job = core.job { allow = { network = { "api.example.com" }, email = true } }
function job.run() return job.OK end
return job
"""


@pytest.fixture
def declared(home: Path) -> Path:
    """A home in which jobs get only what they list."""
    (home / "jobs").mkdir()
    (home / "moontide.toml").write_text('permissions = "declared"\n', "utf-8")
    (home / "jobs" / "report.lua").write_text(ALLOWED, "utf-8")
    (home / "jobs" / "broken.lua").write_text("return 1", "utf-8")
    return home


WORDS = "core.email, core.network (api.example.com)"


def test_check_tells_what_each_good_file_may_use(moontide: Moontide, declared: Path) -> None:
    lines = moontide("check").stdout.splitlines()
    assert f"report.lua may use {WORDS}" in lines
    assert not any(line.startswith("broken.lua may use") for line in lines)
    one = moontide("check", "jobs/report.lua").stdout
    assert one == f"{declared}/jobs/report.lua may use {WORDS}\n"


def test_check_tells_nothing_where_every_job_may_use_everything(moontide: Moontide, declared: Path) -> None:
    assert moontide("check", "jobs/report.lua", MOONTIDE_PERMISSIONS="open").stdout == ""


async def test_show_and_check_of_a_running_engine_tell_it_too(moontide: Moontide, declared: Path) -> None:
    engine = Engine(load_settings(declared), home=declared)
    await engine.start()
    shown = await asyncio.to_thread(moontide, "show", "report")
    checked = await asyncio.to_thread(moontide, "check")
    view = engine.desk.job("report")
    await engine.stop()
    assert f"may use\t{WORDS}\n" in shown.stdout
    assert f"report.lua may use {WORDS}\n" in checked.stdout
    assert "broken.lua may use" not in checked.stdout
    assert (view.permissions, view.allow) == ("declared", {"email": True, "network": ["api.example.com"]})


async def test_without_declared_permissions_a_job_may_use_everything(open_bench: OpenBench) -> None:
    async with open_bench({"report": ALLOWED}) as bench:
        view = bench.desk.job("report")
    assert view.permissions == "open"
    assert view.allow == {"email": True, "network": ["api.example.com"]}
