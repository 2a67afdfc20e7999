"""The commands that programs ask for again and again, and that people wait for: carried out without typer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.commands import make_app
from engine.cli.plain import plain_command
from tests.commands import MOONTIDE
from tests.engine.cli.conftest import Moontide, ServedEngine, environment

HEAVY = "typer click pydantic pydantic_settings rich httpx asyncio sqlalchemy lupa textual fastapi"

LOADED = f"""
import sys
from engine.cli import main
sys.argv = ["moontide", *sys.argv[1:]]
try:
    main()
finally:
    print([name for name in {HEAVY.split()} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["jobs"], ["jobs", "--json"]])
def test_a_plain_command_says_what_typer_would_and_loads_nothing_heavy(
    engine: ServedEngine, home: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", LOADED, "--home", str(home), *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=30,
    )
    make_app()(["--home", str(home), *arguments], standalone_mode=False)
    assert asked.stdout == capsys.readouterr().out
    assert (asked.returncode, asked.stderr) == (0, "[]\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["jobs"],
        ["jobs", "--json"],
        ["--home", "x", "status"],
        ["-H", "x", "status", "--json"],
        ["--home", "x", "tui"],
    ],
)
def test_a_plain_command_line_is_read(arguments: list[str]) -> None:
    assert plain_command(arguments, {}) is not None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["jobs", "--help"],
        ["jobs", "--json", "--json"],
        ["jobs", "x"],
        ["show", "x"],
        ["--home", "x"],
        ["--home"],
        ["--home", "", "jobs"],
        ["--home", "x", "--home", "y", "jobs"],
        ["--version", "jobs"],
        ["--", "jobs"],
        ["tui", "--help"],
        ["tui", "--role", "viewer"],
        ["tui", "--json"],
    ],
)
def test_all_other_command_lines_are_typers(arguments: list[str]) -> None:
    assert plain_command(arguments, {}) is None


def test_the_home_folder_is_the_variables_where_none_is_given(
    engine: ServedEngine, moontide: Moontide, home: Path, tmp_path: Path
) -> None:
    assert moontide("status", cwd=tmp_path).returncode == 0
    assert moontide("--home", str(tmp_path / "none"), "status").returncode == 3
    assert moontide("status", cwd=home, MOONTIDE_HOME="").returncode == 0


def test_a_reader_that_goes_away_gets_no_traceback(engine: ServedEngine, home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as output:
        asked = subprocess.run(
            [MOONTIDE, "jobs"],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(MOONTIDE_HOME=str(home)),
            timeout=30,
        )
    assert (asked.returncode, asked.stderr) == (1, "")
