"""The front door as people meet it: with OpenSSH's own client on a real terminal."""

from __future__ import annotations

import os
import re
import signal
import socket
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.frontdoor import Door
from tests.e2e.processes import Process, descendants, until
from tests.terminal import Terminal


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("h") / "home", tmp_path_factory.mktemp("k"))
    yield door
    door.close()
    assert "Traceback" not in door.said


Login = Callable[..., Terminal]


@pytest.fixture
def login(door: Door) -> Iterator[Login]:
    """Log in with keys whose dashboards remember nothing yet."""
    terminals: list[Terminal] = []
    door.forget()

    def log_in(role: str, *options: str, at: Door = door, **more: str) -> Terminal:
        terminals.append(Terminal(*at.command(role, *options), **more))
        return terminals[-1]

    yield log_in
    for terminal in terminals:
        terminal.close()


def shown(terminal: Terminal) -> Terminal:
    """Wait until the list of jobs is there."""
    terminal.reads("beat", "STATUS", "Running", seconds=60)
    return terminal


def test_who_logs_in_sees_the_jobs_runs_one_and_leaves_with_q(door: Door, login: Login) -> None:
    terminal = shown(login("admin"))
    terminal.send("/beat\rr")
    terminal.reads("started", "complete", seconds=60)
    terminal.send("q")
    assert terminal.ended() == 0
    assert b"\x1b[?1049l" in terminal.seen
    until(lambda: ("anna", "ssh", "log out from 127.0.0.1") in door.actions(), 30)
    assert {("anna", "ssh", "run job"), ("anna", "ssh", "log in from 127.0.0.1")} <= set(door.actions())


def test_a_viewer_sees_all_and_is_refused_what_changes_something(door: Door, login: Login) -> None:
    terminal = shown(login("viewer"))
    terminal.reads("read-only", "Run)", "Edit)")
    terminal.send("r")
    terminal.reads("not for you", "operator")
    terminal.send("q")
    assert terminal.ended() == 0
    assert [
        action for who, _, action in door.actions() if who == "vera" and not action.startswith("log")
    ] == []


@pytest.mark.parametrize(
    "options",
    [
        ("-o", "PasswordAuthentication=yes", "-o", "PubkeyAuthentication=no"),
        ("-o", "KbdInteractiveAuthentication=yes", "-o", "PubkeyAuthentication=no"),
        (),
    ],
    ids=["password", "questions", "unknown key"],
)
def test_whoever_has_no_key_here_is_refused(door: Door, options: tuple[str, ...]) -> None:
    done = door.ask("stranger", *options)
    assert done.returncode == 255
    assert done.stderr.strip().endswith(b"Permission denied (publickey).")


def test_there_are_no_commands_and_no_files(door: Door) -> None:
    for options in ((), ("-tt",)):
        done = door.ask("admin", *options, after=("id",))
        assert done.returncode == 64
        assert b"no commands, no files" in done.stderr + done.stdout
        assert b"uid=" not in done.stdout
    assert door.ask("admin", "-s", after=("sftp",)).returncode != 0


def test_without_a_terminal_or_on_a_dumb_one_one_line_says_so(door: Door, login: Login) -> None:
    done = door.ask("admin", "-T")
    assert done.returncode == 64
    assert b"needs a terminal" in done.stderr
    dumb = login("admin", TERM="dumb")
    assert dumb.ended() == 64
    assert b"needs a terminal" in dumb.seen


def test_nothing_is_forwarded_in_either_direction(door: Door, login: Login) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        port = inside.getsockname()[1]
        assert b"forwarding failed" in door.ask("admin", "-W", f"127.0.0.1:{port}").stderr
        backwards = door.ask("admin", "-N", "-o", "ExitOnForwardFailure=yes", "-R", f"0:127.0.0.1:{port}")
        assert backwards.returncode == 255
        assert b"remote port forwarding failed" in backwards.stderr
        inside.setblocking(False)
        with pytest.raises(BlockingIOError):
            inside.accept()


def test_the_dashboard_follows_the_size_of_the_terminal(login: Login) -> None:
    terminal = shown(login("viewer"))
    terminal.seen = b""
    terminal.resize(200, 50)
    terminal.process.send_signal(signal.SIGWINCH)
    terminal.reads("TAGS", seconds=30)


def test_the_end_of_one_session_touches_no_other_and_leaves_a_terminal_in_order(
    door: Door, login: Login
) -> None:
    other = shown(login("viewer"))
    before = showing(door)
    terminal = shown(login("admin"))
    assert not termios.tcgetattr(terminal.master)[3] & termios.ECHO
    (mine,) = showing(door) - before
    os.kill(mine.pid, signal.SIGKILL)
    assert terminal.ended() == 69
    assert b"the dashboard ended by itself (signal 9)" in terminal.seen
    assert b"\x1b[?1049l" in terminal.seen
    assert termios.tcgetattr(terminal.master)[3] & termios.ECHO
    other.send("?")
    other.reads("the mouse works too", seconds=30)


def showing(door: Door) -> set[Process]:
    """Return the processes that show somebody a dashboard now."""
    return {one for one in door.screens() if os.readlink(f"/proc/{one.pid}/fd/0").startswith("/dev/pts/")}


def test_a_client_that_is_killed_leaves_no_dashboard_behind(door: Door, login: Login) -> None:
    before = showing(door)
    terminal = shown(login("operator"))
    (mine,) = showing(door) - before
    terminal.process.kill()
    until(lambda: not mine.alive, 20)


def test_the_process_of_a_session_tells_no_secret_and_has_nothing_of_the_engines(
    door: Door, login: Login
) -> None:
    shown(login("admin"))
    process = next(iter(showing(door)))
    variables = Path(f"/proc/{process.pid}/environ").read_bytes().decode()
    names = {entry.partition("=")[0] for entry in variables.split("\0") if entry}
    assert names <= {"PATH", "PYTHONUTF8", "TZ"}
    assert re.fullmatch(r"\S+ -P -m engine\.door\.screen \d+ ", process.command)
    assert os.readlink(f"/proc/{process.pid}/cwd") == "/"


def test_no_editor_of_the_machine_opens_even_for_an_admin(door: Door, login: Login) -> None:
    before = showing(door)
    terminal = shown(login("admin"))
    (mine,) = showing(door) - before
    terminal.send("/beat\rE")
    terminal.reads("press e instead", seconds=30)
    assert descendants(mine.pid) == []


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Open a door with narrow limits."""
    limits = 'sessions = 3\nsessions_per_key = 1\nidle = "8s"\n'
    door = Door(tmp_path_factory.mktemp("h") / "home", tmp_path_factory.mktemp("k"), limits)
    yield door
    door.close()


def test_who_types_nothing_is_let_go_with_the_reason(narrow: Door, login: Login) -> None:
    terminal = shown(login("viewer", at=narrow))
    terminal.wait(lambda: terminal.process.poll() is not None, 40)
    assert b"nothing was typed for a long time (ssh.idle)" in terminal.seen


def test_one_key_opens_so_many_sessions(narrow: Door, login: Login) -> None:
    shown(login("admin", at=narrow))
    second = login("admin", at=narrow)
    assert second.ended() == 75
    assert b"ssh.sessions_per_key" in second.seen


def test_a_key_that_is_taken_out_ends_its_session(narrow: Door, login: Login) -> None:
    terminal = shown(login("operator", at=narrow))
    narrow.let_in("admin", "viewer")
    try:
        terminal.wait(lambda: terminal.process.poll() is not None, 30)
        assert b"your key was taken out" in terminal.seen
        assert narrow.ask("operator").returncode == 255
    finally:
        narrow.let_in(*narrow.lines)


def test_the_stop_of_the_engine_lets_everybody_go_with_their_terminal_in_order(
    tmp_path_factory: pytest.TempPathFactory, login: Login
) -> None:
    door = Door(tmp_path_factory.mktemp("h") / "home", tmp_path_factory.mktemp("k"))
    terminal = shown(login("viewer", at=door))
    screens = door.screens()
    door.close()
    terminal.ended()
    assert door.engine.returncode == 0
    assert b"the engine is stopping" in terminal.seen
    assert b"\x1b[?1049l" in terminal.seen
    assert not any(one.alive for one in screens)
