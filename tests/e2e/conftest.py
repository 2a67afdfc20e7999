"""A home folder, the real command, and the engine as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from engine.api.address import socket_in
from engine.api.client import Client
from engine.states import FINAL, RunStatus
from engine.views import JobView, RunView
from tests.commands import MOONTIDE, carry_out
from tests.e2e.processes import Process, descendants, until
from tests.homebases import USUAL, make_homebase

START_SECONDS = 120
STOP_SECONDS = 30


def environment(**more: str) -> dict[str, str]:
    """Return a small environment, in which nothing of the developer's own settings counts."""
    return {"PATH": os.environ["PATH"], "TZ": "UTC", "LANG": "C.UTF-8", **more}


def job(body: str, settings: str = "") -> str:
    """Return a job file with this body and these settings."""
    return f"local job = core.job {{ {settings} }}\nfunction job.run(run)\n{body}\nend\nreturn job\n"


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


class Home:
    """A home folder, and the command in it."""

    def __init__(self, path: Path, program: str = MOONTIDE, *, database: str = USUAL) -> None:
        """Make a home folder with nothing but an empty jobs folder.

        Args:
            database: the kind that it keeps its runs in.
        """
        self.path = path
        self.program = program
        self.base = make_homebase(database, path)
        self.jobs = path / "jobs"
        self.jobs.mkdir(parents=True)
        self.start_seconds: float = START_SECONDS

    def write(self, name: str, text: str | bytes) -> Path:
        """Put a job file (or `lib/...` module) in its place."""
        path = self.jobs / f"{name}.lua"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def settings(self, toml: str) -> None:
        """Write moontide.toml."""
        (self.path / "moontide.toml").write_text(toml, "utf-8")

    def moontide(
        self, *arguments: str, stdin: str = "", cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Result:
        """Carry out one command."""
        done = carry_out(
            ("--home", str(self.path), *arguments),
            program=self.program,
            stdin=stdin,
            cwd=cwd or self.path,
            env=self.environment(**(env or {})),
            seconds=60,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, command: str = "serve", *options: str, prefix: Sequence[str] = (), **env: str) -> Served:
        """Start an engine; it may not be ready yet.

        Args:
            prefix: a program that becomes the engine after some preparation of its own.
        """
        out, err = self.path / "out.txt", self.path / "err.txt"
        with out.open("ab") as stdout, err.open("ab") as stderr:
            process = subprocess.Popen(
                [*prefix, self.program, "--home", str(self.path), command, *options],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=self.environment(**env),
            )
        return Served(self, process)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of commands in this home."""
        return environment(**{**self.base.environment, **more})

    @contextmanager
    def serving(
        self, command: str = "serve", *options: str, prefix: Sequence[str] = (), **env: str
    ) -> Iterator[Served]:
        """Give an engine that is ready; it is stopped as an operator does, and must leave nothing behind."""
        served = self.start(command, *options, prefix=prefix, **env)
        try:
            served.wait_ready()
            yield served
            if served.process.poll() is None:
                served.stop()
        finally:
            served.end()


class Served:
    """An engine in a process of its own, with what tests ask of it."""

    def __init__(self, home: Home, process: subprocess.Popen[bytes]) -> None:
        self.home = home
        self.process = process
        self.client = Client(socket_in(home.path), actor="tester@here")

    @property
    def output(self) -> str:
        """What the engines of this home wrote so far."""
        return (self.home.path / "out.txt").read_text("utf-8")

    @property
    def complaints(self) -> str:
        """What the engines of this home wrote to standard error so far."""
        return (self.home.path / "err.txt").read_text("utf-8")

    def wait_ready(self) -> None:
        """Return once the engine answers and has read its jobs."""
        until(self._is_ready, self.home.start_seconds)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.complaints}"
        if not _listens(socket_in(self.home.path)):
            return False
        status = self.client.status()
        return status.state == "Running" and status.pid == self.process.pid

    def family(self) -> list[Process]:
        """Return the processes that the engine started."""
        return descendants(self.process.pid)

    def workers(self) -> list[Process]:
        """Return the processes that execute Lua: the children of the engine's child."""
        zygotes = [one.pid for one in self.family() if "zygote" in one.command][:1]
        return descendants(zygotes[0]) if zygotes else []

    def stop(self, with_signal: int = signal.SIGTERM) -> None:
        """Stop the engine; it must end with 0, and nothing that it started may go on."""
        family = self.family()
        self.process.send_signal(with_signal)
        assert self.process.wait(STOP_SECONDS) == 0, self.complaints
        assert [one for one in family if one.alive] == []

    def kill(self) -> None:
        """End the engine as a power cut would; what it started must follow it within a second."""
        family = self.family()
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        until(lambda: not any(one.alive for one in family), 1)

    def end(self) -> None:
        """Leave nothing behind, whatever happened in the test."""
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(STOP_SECONDS)

    # What operators do

    def add(self, name: str, text: str | bytes) -> JobView:
        """Put a job file in its place and reload it."""
        self.home.write(name, text)
        self.client.reload(name)
        return self.client.job(name)

    def run(self, name: str, data: Any = None, seconds: float = 15) -> RunView:
        """Run a job and return its finished run."""
        return self.finished(self.client.run_job(name, data=data).id, seconds)

    def finished(self, run_id: int, seconds: float = 15) -> RunView:
        """Return a run once it has ended."""
        until(lambda: RunStatus(self.client.run(run_id).status) in FINAL, seconds)
        return self.client.run(run_id)

    def ends(self, name: str, count: int, seconds: float = 15) -> list[RunView]:
        """Return the ended runs of a job, the oldest first, once there are so many."""
        until(lambda: len(self._ended(name)) >= count, seconds)
        return self._ended(name)

    def _ended(self, name: str) -> list[RunView]:
        runs = self.client.runs(job=name, limit=1000)
        return [run for run in reversed(runs) if RunStatus(run.status) in FINAL]

    def log(self, run_id: int) -> list[str]:
        """Return the texts of a run's log."""
        return [line.text for line in self.client.log(run_id, limit=10_000)]


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


@pytest.fixture
def home(tmp_path: Path, database_kind: str) -> Home:
    """A home folder of this test alone."""
    return Home(tmp_path / "home", database=database_kind)


@pytest.fixture
def engine(home: Home) -> Iterator[Served]:
    """A running engine of this test alone."""
    with home.serving() as served:
        yield served


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running engine for all tests of a module, in which each test has jobs of its own."""
    home = Home(tmp_path_factory.mktemp("shared") / "home")
    home.settings('limits.cpu = "2s"\nlimits.memory = "32MB"\npool.size = 20\n')
    with home.serving() as served:
        yield served


_numbers = count(1)


@pytest.fixture
def name() -> str:
    """A job name that no other test has."""
    return f"job_{next(_numbers)}"
