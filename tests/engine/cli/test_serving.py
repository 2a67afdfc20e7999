"""`up` and `serve` with the real engine, stopped by signals."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.processes import hearing_hangups
from tests.engine.cli.conftest import MOONTIDE, Moontide, environment
from tests.engine.cli.test_commands import read_all

JOB = """
local job = core.job { every = "1h", run_at_start = true }
function job.run() core.log("two\\nlines") return job.OK end
return job
"""
ENDLESS = """
local job = core.job { every = "1h", run_at_start = true }
function job.run() core.sleep(600) return job.OK end
return job
"""


@pytest.fixture
def jobs(home: Path) -> Path:
    (home / "jobs").mkdir()
    (home / "jobs" / "hello.lua").write_text(JOB)
    return home / "jobs"


@contextmanager
def running(home: Path, command: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [MOONTIDE, "--home", str(home), command],
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def lines_until(process: subprocess.Popen[str], word: str) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return lines
    raise AssertionError(f"no {word!r} in {lines}")


@pytest.mark.parametrize(
    ("command", "number"), [("up", signal.SIGINT), ("serve", signal.SIGTERM), ("up", signal.SIGHUP)]
)
def test_a_signal_ends_the_engine_cleanly(home: Path, jobs: Path, command: str, number: int) -> None:
    with hearing_hangups(), running(home, command) as process:
        lines_until(process, "hello COMPLETE")
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert rest.splitlines()[-1].endswith("engine Stopped")
    assert not (home / "moontide.sock").exists()


def test_each_event_is_one_line_with_its_time(home: Path, jobs: Path) -> None:
    with running(home, "serve") as process:
        lines = lines_until(process, "hello COMPLETE")
        process.terminate()
        lines += process.communicate(timeout=20)[0].splitlines(keepends=True)
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S", line) for line in lines)
    assert any(line.endswith("run 1 of hello info: two\\nlines\n") for line in lines)


def test_a_reader_that_leaves_does_not_stop_the_engine(home: Path, jobs: Path, moontide: Moontide) -> None:
    with running(home, "serve") as process:
        lines_until(process, "hello COMPLETE")
        assert process.stdout is not None
        process.stdout.close()
        assert moontide("run", "hello", "--wait").returncode == 0
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_a_second_engine_in_the_same_home_is_refused_with_the_firsts_process_id(
    home: Path, jobs: Path, moontide: Moontide
) -> None:
    with running(home, "serve") as process:
        lines_until(process, "engine Running")
        second = moontide("serve")
        process.terminate()
        process.communicate(timeout=20)
    assert second.returncode == 1
    assert f"(process {process.pid})" in second.stderr


def test_a_second_signal_ends_the_engine_at_once(home: Path, jobs: Path) -> None:
    (jobs / "endless.lua").write_text(ENDLESS)
    with running(home, "serve", MOONTIDE_ENGINE__STOP_AFTER="60s") as process:
        lines_until(process, "of endless RUNNING")
        process.send_signal(signal.SIGINT)
        lines_until(process, "Draining")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == -signal.SIGINT


def test_up_in_plain_words_shows_the_jobs_and_gives_the_terminal_back(home: Path, jobs: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [MOONTIDE, "--home", str(home), "up", "--plain"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment(TERM="xterm-256color", COLUMNS="120", LINES="30"),
    )
    os.close(follower)
    shown = ""
    try:
        while "hello COMPLETE" not in shown and select.select([leader], [], [], 120)[0]:
            shown += os.read(leader, 65536).decode(errors="replace")
        process.send_signal(signal.SIGINT)
        shown += read_all(leader)
        assert process.wait(timeout=120) == 0
    finally:
        os.close(leader)
        process.kill()
        process.wait()
    assert "Moontide" in shown
    assert "○ WAITING" in shown
    assert shown.rindex("\x1b[?1049l") > shown.rindex("\x1b[?1049h")
    assert "stopping; Ctrl-C again stops at once" in shown
