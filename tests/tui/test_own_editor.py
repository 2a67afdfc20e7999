"""A job's file in the person's own editor, on a real terminal with a real engine."""

from __future__ import annotations

import re
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.test_process import BEAT, Open, Terminal, engine, open_terminal
from tui.model.owneditor import ELSEWHERE, UNSET, OwnEditor, own_editor

__all__ = ["engine", "open_terminal"]

HOME = Path("/srv/moontide")

#: Makes an editor of the lines of a shell script; "$1" is the file.
Program = Callable[[str], str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one job, so that the cursor can be on no other."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "beat.lua").write_text(BEAT)
    return tmp_path


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Return a function that makes an editor of the lines of a shell script; "$1" is the file."""

    def make(script: str) -> str:
        path = tmp_path_factory.mktemp("editor") / "editor"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


def edit_beat(home: Path, open_terminal: Open, command: str) -> Terminal:
    (home / "t").mkdir()
    terminal = open_terminal("--home", str(home), "tui", EDITOR=command, VISUAL="", TMPDIR=str(home / "t"))
    terminal.reads("beat", "Running", seconds=60)
    terminal.send("/beat\r")
    terminal.seen = b""
    terminal.send("E")
    return terminal


@pytest.mark.usefixtures("engine")
def test_what_is_saved_there_is_written_through_the_engine(
    home: Path, open_terminal: Open, program: Program
) -> None:
    terminal = edit_beat(home, open_terminal, program('echo "-- mine" >> "$1"'))
    terminal.reads("beat is saved and reloaded", seconds=60)
    assert (home / "jobs" / "beat.lua").read_text() == f"{BEAT}-- mine\n"
    terminal.send("q")
    assert terminal.ended() == 0


@pytest.mark.usefixtures("engine")
def test_an_editor_that_is_killed_leaves_a_terminal_in_order(
    home: Path, open_terminal: Open, program: Program
) -> None:
    terminal = open_terminal(
        "--home", str(home), "tui", EDITOR=program("stty raw -echo; kill -9 $$"), VISUAL=""
    )
    terminal.reads("beat", "Running", seconds=60)
    terminal.send("/beat\r")
    terminal.send("E")
    terminal.reads("ended with -9", seconds=60)
    terminal.send("q")
    assert terminal.ended() == 0
    mode = termios.tcgetattr(terminal.master)[3]
    assert mode & termios.ECHO
    assert mode & termios.ICANON


@pytest.mark.usefixtures("engine")
def test_somebody_elses_change_is_asked_about_and_ones_text_is_kept(
    home: Path, open_terminal: Open, program: Program
) -> None:
    job = home / "jobs" / "beat.lua"
    theirs = BEAT.replace("Beats", "Theirs")
    (home / "theirs").write_text(theirs)
    command = program(f'echo "-- mine" >> "$1"; cp {home}/theirs {job}')
    terminal = edit_beat(home, open_terminal, command)
    terminal.reads("Somebody else changed this file", seconds=60)
    terminal.seen = b""
    terminal.send("\x1b")
    terminal.wait(lambda: list((home / "t").glob("moontide-*/beat.lua")), 60)
    kept = next((home / "t").glob("moontide-*/beat.lua"))
    terminal.wait(lambda: f"keptin{kept}" in squeezed(terminal), 60)
    assert kept.read_text() == f"{BEAT}-- mine\n"
    assert job.read_text() == theirs


def squeezed(terminal: Terminal) -> str:
    """Return what was drawn without blanks and frames: a message may stand on several lines."""
    text = re.sub(rb"\x1b\[[0-9;?<>=]*[A-Za-z]", b"", terminal.seen).decode(errors="replace")
    return re.sub(r"[\s▌]", "", text)


def test_it_opens_only_for_a_process_of_ones_own() -> None:
    chosen = {"EDITOR": "vim -n"}
    assert own_editor(chosen, HOME, None) == OwnEditor(("vim", "-n"), "")
    assert own_editor(chosen | {"VISUAL": "code --wait"}, HOME, None).command == ("code", "--wait")
    assert own_editor(chosen, HOME, "token").why_not == ELSEWHERE
    assert own_editor(chosen, "https://web1:7424", None).why_not == ELSEWHERE
    assert own_editor(chosen | {"TEXTUAL_DRIVER": "web"}, HOME, None).why_not == ELSEWHERE
    assert own_editor({}, HOME, None).why_not == UNSET
