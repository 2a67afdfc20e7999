"""Commands of plugins stand behind the own ones, which never wait for plugins."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.cli.conftest import Moontide, environment

PLUGIN = """
import typer
from moontide import MoontideError, PluginCommand, hookimpl

def make():
    app = typer.Typer()
    @app.command()
    def say(word: str) -> None:
        if word == "no":
            raise MoontideError("it will not")
        print(word)
    return app

def broken():
    raise RuntimeError("no command tonight")

@hookimpl
def moontide_commands():
    return [
        PluginCommand(name="echo", make=make, help="Says it again."),
        PluginCommand(name="broken", make=broken, help="Never works."),
        PluginCommand(name="status", make=make, help="Mine."),
        PluginCommand(name="schedule", make=make, help="Mine, too."),
    ]
"""


@pytest.fixture
def with_plugins(home: Path) -> Path:
    folder = home / "plugins"
    folder.mkdir()
    (folder / "echo.py").write_text(PLUGIN, "utf-8")
    (folder / "ill.py").write_text("raise RuntimeError('no plugin tonight')", "utf-8")
    (home / "moontide.toml").write_text('plugins_dir = "plugins"\n', "utf-8")
    return folder


def test_a_command_of_a_plugin_works_like_the_own_ones(moontide: Moontide, with_plugins: Path) -> None:
    said, refused = moontide("echo", "say", "neap"), moontide("echo", "say", "no")
    assert (said.returncode, said.stdout, said.stderr) == (0, "neap\n", "")
    assert (refused.returncode, refused.stderr) == (1, "moontide: it will not\n")


def test_the_help_tells_what_plugins_add(moontide: Moontide, with_plugins: Path) -> None:
    assert (
        "Commands of plugins:\n  broken  Never works.\n  echo    Says it again.\n"
        in moontide("--help").stdout
    )


def test_an_unknown_command_tells_which_plugins_did_not_load(moontide: Moontide, with_plugins: Path) -> None:
    done = moontide("ecko")
    assert done.returncode == 2
    assert done.stderr.startswith("moontide: plugin ill: RuntimeError: no plugin tonight\n")
    assert "No such command 'ecko'" in done.stderr


def test_a_command_that_cannot_be_made_names_its_plugin(moontide: Moontide, with_plugins: Path) -> None:
    done = moontide("broken", "now")
    assert done.returncode == 1
    assert "the command broken of plugin echo cannot be used: RuntimeError: no command tonight" in done.stderr


def test_the_own_commands_keep_their_names(moontide: Moontide, with_plugins: Path) -> None:
    [view] = [view for view in json.loads(moontide("plugins", "--json").stdout) if view["name"] == "echo"]
    assert view["adds"] == ["command echo", "command broken"]
    for name in ("status", "schedule"):
        assert f"the command {name} is taken already; this plugin's one is not used" in view["reason"]


def test_the_help_is_there_for_those_who_mend_the_settings(moontide: Moontide, home: Path) -> None:
    (home / "moontide.toml").write_text("pool = [", "utf-8")
    assert moontide("--help").returncode == 0
    assert moontide("echo").returncode == 1


def test_the_own_commands_load_no_plugin(home: Path, with_plugins: Path) -> None:
    code = (
        "import sys, atexit\n"
        "heavy = {'pluggy', 'engine.extensions.plugins', 'moontide'}\n"
        "atexit.register(lambda: print(sorted(heavy & sys.modules.keys())))\n"
        "from engine.cli import main\n"
        "sys.argv[1:] = ['status']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=home, env=environment(), check=False
    )
    assert (done.returncode, done.stdout) == (3, "[]\n"), done.stderr
