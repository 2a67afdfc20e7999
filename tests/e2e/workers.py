"""Workers as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.e2e.conftest import STOP_SECONDS, Home, Served
from tests.e2e.processes import descendants, until
from tests.homebases import POSTGRESQL

START_SECONDS = 120

#: A machine under load needs a while for what takes milliseconds.
SECONDS = 60

SLEEPS = 'core.log("at work") core.sleep(run.data.seconds) return job.OK'

_numbers = count(1)


class Worker:
    """One `moontide worker` with a home folder of its own, on the database of an engine's home."""

    def __init__(self, home: Home, *options: str, settings: str = "", **env: str) -> None:
        """Start it; it may not be ready yet.

        Args:
            settings: more lines of its moontide.toml.
            env: more of its environment.
        """
        self.path = home.path.parent / f"worker{next(_numbers)}"
        (self.path / "jobs").mkdir(parents=True)
        (self.path / "moontide.toml").write_text(f'executor = "pgqueuer"\n{settings}', "utf-8")
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                [home.program, "--home", str(self.path), "worker", *options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=home.environment(**env),
            )

    @property
    def out(self) -> Path:
        return self.path / "out.txt"

    @property
    def err(self) -> Path:
        return self.path / "err.txt"

    @property
    def complaints(self) -> str:
        """What it wrote to standard error so far."""
        return self.err.read_text("utf-8")

    def wait_ready(self) -> None:
        """Return once it takes runs."""
        until(self._is_ready, START_SECONDS)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.complaints}"
        return "takes runs" in self.out.read_text("utf-8")

    def freeze(self) -> None:
        """Stop it, with all that it has started, as a machine does that is suspended."""
        for pid in (self.process.pid, *(one.pid for one in descendants(self.process.pid))):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for pid in (self.process.pid, *(one.pid for one in descendants(self.process.pid))):
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """Stop it as an operator does; it must end with 0, and leave nothing behind."""
        family = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_SECONDS) == 0, self.complaints
        assert [one for one in family if one.alive] == []

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)


@contextmanager
def working(home: Home, *options: str, settings: str = "", **env: str) -> Iterator[Worker]:
    """Give a worker that takes runs; it is stopped as an operator does."""
    worker = Worker(home, *options, settings=settings, **env)
    try:
        worker.wait_ready()
        yield worker
        if worker.process.poll() is None:
            worker.stop()
    finally:
        if worker.process.poll() is None:
            worker.thaw()
            worker.kill()


def remote_home(path: Path) -> Home:
    home = Home(path / "home", database=POSTGRESQL)
    home.settings('executor = "pgqueuer"\npool.size = 0\n')
    return home


def at_work(served: Served, name: str, seconds: float) -> int:
    """Start a run that sleeps, and return its id once it is under way on a worker."""
    run_id = served.client.run_job(name, data={"seconds": seconds}).id
    until(lambda: served.log(run_id) == ["at work"], SECONDS)
    return run_id
