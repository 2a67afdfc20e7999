"""`moontide stubs`: completion for editors, without an engine."""

from __future__ import annotations

from pathlib import Path

from tests.engine.cli.conftest import Moontide

JOB = "local job = core.job()\nfunction job.run() return job.OK end\nreturn job\n"


def test_stubs_writes_the_files_once(moontide: Moontide, home: Path) -> None:
    (home / "jobs").mkdir()
    (home / "jobs" / "report.lua").write_text(JOB, "utf-8")
    first, second = moontide("stubs"), moontide("stubs")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith(f"{home}/jobs/.luals: ")
    assert second.stdout == "up to date\n"
    assert '"report"' in (home / "jobs" / ".luals" / "jobs.lua").read_text("utf-8")
    assert (home / "jobs" / ".luarc.json").exists()
    assert moontide("check").stdout == ""


def test_stubs_of_one_file_plugins_are_written_too(moontide: Moontide, home: Path) -> None:
    (home / "jobs").mkdir()
    (home / "plugins").mkdir()
    (home / "plugins" / "tide.py").write_text(
        "from moontide import CoreModule, hookimpl\n"
        "@hookimpl\ndef moontide_core_modules():\n"
        "    return [CoreModule('tide', summary='Tells the tide.')]\n",
        "utf-8",
    )
    moontide("stubs", MOONTIDE_PLUGINS_DIR="plugins")
    assert "---@class core.tide" in (home / "jobs" / ".luals" / "core_tide.lua").read_text("utf-8")
    listed = moontide("plugins", MOONTIDE_PLUGINS_DIR="plugins").stdout
    assert f"tide\t\t{home}/plugins/tide.py\tloaded" in listed


def test_without_a_jobs_folder_stubs_says_so(moontide: Moontide) -> None:
    result = moontide("stubs")
    assert result.returncode == 1
    assert "the jobs folder" in result.stderr
