"""The dashboard as a process on a real terminal, over a real engine."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import descendants, until

MOONTIDE = str(Path(sys.executable).parent / "moontide")

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


#: What would change the size, or make one test remember what another one chose.
_DROPPED = ("COLUMNS", "LINES", "HOME", "XDG_STATE_HOME")


class Terminal:
    """A command on a terminal of its own, of 80 columns and 24 lines."""

    def __init__(self, *command: str, ignores_hangup: bool = False, **environment: str) -> None:
        self.seen = b""
        self.master, slave = pty.openpty()
        self.resize(80, 24)

        def in_child() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if ignores_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)

        kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=in_child,
            env=kept | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | environment,
        )
        os.close(slave)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def send(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def reads(self, *words: str, seconds: float = 20) -> None:
        """Read on until all of these were drawn."""
        self.wait(lambda: all(word.encode() in self.seen for word in words), seconds)

    def wait(self, condition: Callable[[], object], seconds: float = 20) -> None:
        def look() -> object:
            while select.select([self.master], [], [], 0)[0] and (data := self._read()):
                self.seen += data
            return condition()

        until(look, seconds)

    def _read(self) -> bytes:
        try:
            return os.read(self.master, 65536)
        except OSError:
            return b""

    def ended(self) -> int:
        self.wait(lambda: self.process.poll() is not None)
        return self.process.returncode

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)
        if self.master >= 0:
            os.close(self.master)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    (jobs / "beat.lua").write_text(BEAT)
    (jobs / "faulty.lua").write_text(FAULTY)
    return tmp_path


@pytest.fixture
def engine(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    engine = subprocess.Popen([MOONTIDE, "--home", str(home), "serve"], stdout=subprocess.PIPE)
    assert engine.stdout is not None
    until(lambda: (home / "moontide.sock").exists(), 20)
    yield engine
    engine.terminate()
    engine.communicate(timeout=20)


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
    terminal.reads("Reloaded", "changed")
    terminal.send("\r")
    terminal.reads("complete")


def test_without_a_terminal_it_ends_at_once_and_says_what_works(home: Path) -> None:
    done = subprocess.run(
        [MOONTIDE, "--home", str(home), "tui"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20
    )
    assert done.returncode == 2
    assert b"needs a terminal" in done.stderr
    assert b"moontide jobs" in done.stderr


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
    [("engine.service", "textual"), ("engine.cli", "textual"), ("tui.app", "sqlalchemy")],
)
def test_neither_side_loads_what_only_the_other_needs(package: str, foreign: str) -> None:
    program = f"import sys, {package}; sys.exit({foreign!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 0


def test_the_first_screen_loads_neither_editor_nor_palette() -> None:
    program = "import sys, tui.app; print(*sys.modules)"
    loaded = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=True)
        .stdout.decode()
        .split()
    )
    assert not {"tui.editor", "tui.luaarea", "tui.palette", "tui.run", "tui.job", "httpx"} & set(loaded)
