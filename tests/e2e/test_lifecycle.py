"""An engine's life as a process: start, work, stop."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.e2e.conftest import MOONTIDE, Home, environment, job
from tests.e2e.processes import descendants, hearing_hangups, until

pytestmark = pytest.mark.long

TICK = job('core.log("tick") return job.OK', 'every = "1s"')
SLEEPER = job('core.log("started") core.sleep(600) return job.OK', 'every = "1h"')


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_the_engine_and_all_that_it_started(home: Home, number: signal.Signals) -> None:
    home.write("tick", TICK)
    with hearing_hangups(), home.serving() as engine:
        engine.ends("tick", 1)
        assert [one for one in engine.family() if one.alive] != []
        engine.stop(number)
    assert home.moontide("status").code == 3


def test_runs_are_in_the_database_when_the_engine_has_stopped(home: Home) -> None:
    home.write("tick", TICK)
    with home.serving() as engine:
        seen = engine.ends("tick", 2)
    rows = dict(home.base.rows("select id, status from run"))
    sessions = home.base.rows("select clean, ended is not null from session")
    assert {run.id: run.status for run in seen}.items() <= rows.items()
    assert set(rows.values()) == {"COMPLETE"}
    assert sessions == [(1, 1)]


def test_what_goes_on_too_long_is_cancelled_by_a_stop_and_not_held_against_the_job(home: Home) -> None:
    home.settings('engine.stop_after = "1s"')
    home.write("sleeper", SLEEPER)
    home.write("spin", job("while true do end", 'every = "1h"'))
    with home.serving() as engine:
        runs = [engine.client.run_job(name).id for name in ("sleeper", "spin")]
        until(lambda: engine.client.status().running == 2)
        began = time.monotonic()
        engine.stop()
        assert time.monotonic() - began < 5
    with home.serving() as engine:
        ended = [engine.client.run(run) for run in runs]
        assert [(run.status, run.error) for run in ended] == [("CANCELLED", "the engine was stopped")] * 2
        assert {view.status for view in engine.client.jobs()} == {"WAITING"}


def test_a_run_that_ends_in_time_is_waited_for(home: Home) -> None:
    body = 'core.log("up") local to = os.clock() + 0.5 while os.clock() < to do end return job.OK, 7'
    home.write("short", job(body))
    with home.serving() as engine:
        run = engine.client.run_job("short").id
        until(lambda: engine.log(run))
        engine.stop()
    with home.serving() as engine:
        assert (engine.client.run(run).status, engine.client.run(run).result) == ("COMPLETE", 7)


@pytest.mark.parametrize("command", ["serve", "up"])
def test_a_second_engine_is_refused_and_told_the_process_of_the_first(home: Home, command: str) -> None:
    with home.serving() as engine:
        second = home.moontide(command)
        assert second.code == 1
        assert f"already runs in {home.path} (process {engine.process.pid})" in second.err
        assert "Traceback" not in second.err
        assert engine.client.status().state == "Running"


def test_a_signal_while_the_engine_starts_stops_it_too(home: Home) -> None:
    home.write("tick", TICK)
    engine = home.start()
    try:
        until(lambda: (home.path / "engine.lock").exists())
        engine.stop()
    finally:
        engine.end()


def test_up_without_a_terminal_prints_one_line_for_each_event(home: Home) -> None:
    home.write("tick", TICK)
    with home.serving("up") as engine:
        run = engine.ends("tick", 1)[0].id
        engine.stop()
        lines = engine.output.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S", line) for line in lines)
    told = [line[20:] for line in lines]
    assert told[0].startswith("jobs reloaded: 1 added")
    assert told[1] == "engine Running"
    assert f"run {run} of tick RUNNING (attempt 1)" in told
    assert f"run {run} of tick info: tick" in told
    assert any(line.startswith(f"run {run} of tick COMPLETE (OK) in ") for line in told)
    assert told[-2:] == ["engine Draining", "engine Stopped"]


def test_an_engine_without_troubles_complains_of_nothing(home: Home) -> None:
    home.write("tick", TICK)
    with home.serving() as engine:
        engine.ends("tick", 1)
        engine.stop()
        assert engine.complaints == ""


def test_up_reloads_what_is_saved_and_serve_does_not(home: Home) -> None:
    home.write("a", job("return job.OK", 'every = "1h"'))
    with home.serving("up") as engine:
        home.write("a", job("return job.OK", 'every = "2h"'))
        until(lambda: engine.client.job("a").schedule == "every 2h")
    with home.serving() as engine:
        home.write("a", job("return job.OK", 'every = "3h"'))
        home.write("b", TICK)
        engine.client.run_job("a")
        assert [(view.name, view.schedule) for view in engine.client.jobs() if view.path] == [
            ("a", "every 2h")
        ]


def test_a_reader_that_went_away_does_not_stop_the_engine(home: Home) -> None:
    home.write("tick", TICK)
    reader, writer = os.pipe()
    with subprocess.Popen(
        [MOONTIDE, "--home", str(home.path), "serve"],
        stdout=writer,
        env=environment(),
        stdin=subprocess.DEVNULL,
    ) as process:
        os.close(writer)
        try:
            until(lambda: b"tick COMPLETE" in os.read(reader, 65536), 20)
            os.close(reader)
            before = len(home.moontide("runs", "tick", "--json").json)
            until(lambda: len(home.moontide("runs", "tick", "--json").json) >= before + 2)
        finally:
            process.terminate()
        assert process.wait(20) == 0


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *command: str) -> None:
        self.seen = b""
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=environment(TERM="xterm-256color", COLUMNS="140", LINES="40"),
        )
        os.close(slave)

    def expect(self, found: Callable[[bytes], object], seconds: float = 20) -> None:
        """Read on until what was seen so far is as wanted."""

        def look() -> object:
            if select.select([self.master], [], [], 0)[0]:
                self.seen += self._read()
            return found(self.seen)

        until(look, seconds)

    def _read(self) -> bytes:
        try:
            return os.read(self.master, 65536)
        except OSError:
            # The command has closed its end.
            return b""

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)
        os.close(self.master)


def test_up_plain_on_a_terminal_shows_the_jobs_live_until_ctrl_c(home: Home) -> None:
    home.write("tick", TICK)
    terminal = Terminal(MOONTIDE, "--home", str(home.path), "up", "--plain")
    try:
        terminal.expect(lambda seen: b"tick" in seen and b"WAITING" in seen and b"COMPLETE" in seen)
        family = descendants(terminal.process.pid)
        # As the terminal's driver does it for Ctrl-C.
        os.killpg(terminal.process.pid, signal.SIGINT)
        terminal.expect(lambda seen: terminal.process.poll() is not None)
        assert terminal.process.returncode == 0
        assert b"Traceback" not in terminal.seen
        assert terminal.seen.rstrip().endswith(b"at once")
        until(lambda: not any(one.alive for one in family), 1)
    finally:
        terminal.end()
