"""The dashboard as a process on a real terminal, over a real engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.e2e.processes import descendants, until
from tests.terminal import Terminal

MOONTIDE = str(Path(sys.executable).parent / "moontide")

#: What has not ended by then never ends, also on a busy machine.
END_SECONDS = 120

BEAT = """
local job = core.job { every = "1s", run_at_start = true, description = "Beats" }
function job.run() core.log("beat") return job.OK end
return job
"""

FAULTY = """
local job = core.job { run_at_start = true }
function job.run() local t = nil return t.x end
return job
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    (jobs / "beat.lua").write_text(BEAT)
    (jobs / "faulty.lua").write_text(FAULTY)
    return tmp_path


@pytest.fixture
def engine(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([MOONTIDE, "--home", str(home), "serve"], stdout=subprocess.PIPE) as engine:
        try:
            until(lambda: (home / "moontide.sock").exists() or engine.poll() is not None, 60)
            assert engine.poll() is None
            yield engine
            engine.terminate()
            engine.communicate(timeout=60)
        finally:
            # One that is left behind would be a fault of whichever test comes later.
            engine.kill()


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_one(*command: str, **options: object) -> Terminal:
        opened.append(Terminal(MOONTIDE, *command, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


Open = Callable[..., Terminal]


@pytest.mark.usefixtures("engine")
def test_it_shows_the_engines_jobs_and_ends_with_q(home: Path, open_terminal: Open) -> None:
    terminal = open_terminal("--home", str(home), "tui")
    terminal.reads("beat", "Running", "inactive")
    terminal.send("q")
    assert terminal.ended() == 0
    assert b"\x1b[?1049l" in terminal.seen


def test_closing_it_stops_no_engine(home: Path, open_terminal: Open, engine: subprocess.Popen[bytes]) -> None:
    terminal = open_terminal("--home", str(home), "tui")
    terminal.reads("beat")
    terminal.send("q")
    assert terminal.ended() == 0
    assert engine.poll() is None


@pytest.mark.usefixtures("engine")
def test_a_repaired_job_runs_again(home: Path, open_terminal: Open) -> None:
    terminal = open_terminal("--home", str(home), "tui")
    terminal.reads("faulty", "inactive")
    (home / "jobs" / "faulty.lua").write_text(BEAT.replace("Beats", "Mended"))
    # Filter to it, activate it, reload, and say yes.
    terminal.send("/faulty\r")
    terminal.send("p")
    terminal.reads("activated;")
    terminal.send("\x12")
    terminal.reads("Read the jobs folder again?")
    terminal.send("y")
    terminal.reads("reloaded: 1 changed")
    terminal.send("\r")
    terminal.reads("complete")


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_filter_is_remembered_from_its_last_letter_on(
    home: Path, open_terminal: Open, number: signal.Signals
) -> None:
    terminal = open_terminal("--home", str(home), "tui", XDG_STATE_HOME=str(home / "state"))
    terminal.reads("beat")
    terminal.send("/nothing")
    terminal.reads("No job matches “nothing”")
    terminal.process.send_signal(number)
    assert terminal.ended() == (0 if number is signal.SIGTERM else -number)
    kept = json.loads((home / "state" / "moontide" / "dashboard.json").read_text())
    assert kept == {"jobs.filter": "nothing"}


def test_without_a_terminal_it_ends_at_once_and_says_what_works(home: Path) -> None:
    done = subprocess.run(
        [MOONTIDE, "--home", str(home), "tui"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=END_SECONDS,
    )
    assert done.returncode == 2
    assert b"needs a terminal" in done.stderr
    assert b"moontide jobs" in done.stderr


#: How each terminal is told of colours, and how the sign of a running engine is drawn there.
TERMINALS = {
    "xterm-256color": (b"\x1b[38;5;", "●"),
    "screen-256color": (b"\x1b[38;5;", "●"),
    "tmux-256color": (b"\x1b[38;5;", "●"),
    "linux": (b"\x1b[3", "+"),
    "vt100": (b"\x1b[3", "+"),
}


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("name", TERMINALS)
def test_each_terminal_gets_what_it_can_draw_and_back_as_it_was(
    home: Path, open_terminal: Open, name: str
) -> None:
    colour, sign = TERMINALS[name]
    terminal = open_terminal("--home", str(home), "tui", TERM=name, COLORTERM="")
    terminal.reads(f"{sign} Running", "beat", "inactive")
    terminal.send("/faulty\r")
    terminal.send("e")
    terminal.reads("Ln 1, Col 1")
    drawn, terminal.seen = terminal.seen, b""
    assert colour in drawn
    assert (b"38;5;" in drawn) == name.endswith("256color")
    assert b"38;2;" not in drawn
    assert drawn.isascii() == (sign == "+")
    terminal.send("\x1b")
    terminal.reads("SCHEDULE")
    terminal.send("q")
    assert terminal.ended() == 0
    assert terminal.seen.rindex(b"\x1b[?25h") > terminal.seen.rfind(b"\x1b[?25l")
    assert b"\x1b[?1000l" in terminal.seen


def test_a_dumb_terminal_is_refused(home: Path, open_terminal: Open) -> None:
    terminal = open_terminal("--home", str(home), "tui", TERM="dumb")
    assert terminal.ended() == 2


@pytest.mark.usefixtures("engine")
def test_it_ends_with_its_terminal_even_where_hangups_were_ignored(home: Path, open_terminal: Open) -> None:
    terminal = open_terminal("--home", str(home), "tui", ignores_hangup=True)
    terminal.reads("beat")
    terminal.hang_up()
    until(lambda: terminal.process.poll() is not None, 10)


@pytest.mark.usefixtures("engine")
def test_it_follows_the_size_of_the_terminal_whatever_columns_and_lines_say(
    home: Path, open_terminal: Open
) -> None:
    terminal = open_terminal("--home", str(home), "tui", COLUMNS="60", LINES="10")
    terminal.reads("SCHEDULE")
    terminal.seen = b""
    terminal.resize(200, 50)
    terminal.process.send_signal(signal.SIGWINCH)
    terminal.reads("TAGS")


@pytest.mark.usefixtures("engine")
def test_esc_leaves_the_editor_at_the_first_press(home: Path, open_terminal: Open) -> None:
    terminal = open_terminal("--home", str(home), "tui")
    terminal.reads("beat")
    terminal.send("/beat\r")
    terminal.send("e")
    terminal.reads("Ln 1, Col 1")
    terminal.seen = b""
    terminal.send("\x1b")
    terminal.reads("STATUS", "SCHEDULE")


@pytest.mark.usefixtures("engine")
def test_a_kill_puts_the_terminal_back_in_order(home: Path, open_terminal: Open) -> None:
    terminal = open_terminal("--home", str(home), "tui")
    terminal.reads("beat")
    terminal.process.terminate()
    terminal.ended()
    assert b"\x1b[?1049l" in terminal.seen


def test_up_opens_the_dashboard_and_leaving_it_stops_the_engine(home: Path, open_terminal: Open) -> None:
    terminal = open_terminal("--home", str(home), "up")
    terminal.reads("beat", "complete")
    family = descendants(terminal.process.pid)
    terminal.send("q")
    terminal.reads("Stop the engine and quit?")
    terminal.send("y")
    assert terminal.ended() == 0
    assert b"Traceback" not in terminal.seen
    until(lambda: not any(one.alive for one in family), 2)


def test_up_ends_cleanly_by_a_signal_under_the_dashboard(home: Path, open_terminal: Open) -> None:
    terminal = open_terminal("--home", str(home), "up")
    terminal.reads("beat", "complete")
    family = descendants(terminal.process.pid)
    terminal.process.terminate()
    assert terminal.ended() == 0
    assert b"\x1b[?1049l" in terminal.seen
    until(lambda: not any(one.alive for one in family), 2)


def test_a_killed_dashboard_leaves_a_terminal_in_order(home: Path, open_terminal: Open) -> None:
    terminal = open_terminal("--home", str(home), "up")
    terminal.reads("beat", "complete")
    before = termios.tcgetattr(terminal.master)[3] & termios.ECHO
    dashboard = next(one for one in descendants(terminal.process.pid) if "show_beside_engine" in one.command)
    os.kill(dashboard.pid, signal.SIGKILL)
    assert terminal.ended() == 0
    assert not before
    assert termios.tcgetattr(terminal.master)[3] & termios.ECHO
    assert terminal.seen.rstrip().endswith(b"at once")


@pytest.mark.parametrize(
    ("package", "foreign"),
    [
        ("engine.service", "textual"),
        ("engine.cli", "textual"),
        ("engine.cli.hosting", "textual"),
        ("engine.cli.hosting", "psycopg"),
        ("tui.app", "sqlalchemy"),
    ],
)
def test_none_loads_what_only_another_one_needs(package: str, foreign: str) -> None:
    program = f"import sys, {package}; sys.exit({foreign!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=END_SECONDS).returncode == 0


def test_the_first_screen_loads_neither_editor_nor_palette_nor_what_reads_other_commands() -> None:
    program = "import sys, engine.cli, engine.api.client, tui.app; print(*sys.modules)"
    loaded = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=END_SECONDS, check=True)
        .stdout.decode()
        .split()
    )
    later = {"tui.editor", "tui.screens.editor", "tui.screens.palette", "tui.screens.run", "tui.screens.job"}
    assert all(find_spec(module) for module in later)
    assert not (later | {"httpx", "httpcore", "typer", "click", "pydantic"}) & set(loaded)


def test_an_engine_that_goes_in_the_middle_of_a_request_is_an_error_and_no_end() -> None:
    program = """
import socket, tui.app
tui.app.prepare_process()
mine, engines = socket.socketpair()
engines.close()
try:
    mine.send(b"GET /v1/jobs")
except BrokenPipeError:
    raise SystemExit(7)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=END_SECONDS).returncode == 7


def test_textual_is_told_how_to_draw_before_it_is_loaded() -> None:
    code = "import tui.app, textual.constants; print(textual.constants.MAX_FPS)"
    environment = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert done.stdout == b"240\n"
