"""Home folders to measure on, and engines in them: in this process, or as the command that users start."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from engine.api.address import socket_in
from engine.api.client import Client
from engine.errors import EngineUnreachable
from engine.runs.job import Job
from engine.service import Engine
from engine.settings import load_settings
from engine.states import EngineState

START_SECONDS = 600.0
MOONTIDE = str(Path(sys.executable).with_name("moontide"))


def job_text(body: str = "return job.OK", settings: str = "") -> str:
    """Return a job file whose `run` has this body."""
    return f"local job = core.job {{ {settings} }}\n\nfunction job.run(run)\n  {body}\nend\n\nreturn job\n"


def many_jobs(count: int) -> dict[str, str]:
    """Return job files as people write them, no two alike, due far from now."""
    return {
        f"team{number % 100}/job{number:05}": job_text(
            f'local data = run.data or {{}}\n  core.log("part {number} of", #data)\n'
            f"  if data.stop then return job.STOP end\n  return job.OK, {{ part = {number} }}",
            f'every = "{12 + number % 12}h", description = "Part {number} of the work", '
            'timeout = "30s", tags = { team = "bench" }',
        )
        for number in range(count)
    }


@contextmanager
def home_with(jobs: Mapping[str, str], toml: str = "") -> Iterator[Path]:
    """Give a new home folder with these job files, on the disk that the system uses for temporary files."""
    with tempfile.TemporaryDirectory(prefix="moontide-bench-") as folder:
        home = Path(folder)
        (home / "moontide.toml").write_text(toml, "utf-8")
        (home / "jobs").mkdir()
        for name, text in jobs.items():
            write_job(home, name, text)
        yield home


def write_job(home: Path, name: str, text: str) -> None:
    """Put a job file into a home's jobs folder."""
    path = home / "jobs" / f"{name}.lua"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


@asynccontextmanager
async def engine_in(home: Path) -> AsyncIterator[Engine]:
    """Run an engine in this process."""
    engine = Engine(load_settings(home), home=home)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


def own_jobs(engine: Engine) -> list[Job]:
    """Return the jobs that have a file: without the engine's own, whose work would be measured as well."""
    return [job for job in engine.catalog.jobs.values() if job.work is None]


@dataclass(frozen=True, slots=True)
class Served:
    """An engine that was started as `moontide serve`.

    Attributes:
        start_seconds: from starting the process until it was Running.
    """

    pid: int
    client: Client
    start_seconds: float
    socket_path: Path

    def declared_files(self) -> int:
        """Return how many job files the sandbox had to declare since the start, by the engine's own count."""
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket_path))) as http:
            text = http.get("http://moontide/v1/metrics").text
        return int(float(text.partition("\nmoontide_files_declared_total ")[2].partition("\n")[0]))


@contextmanager
def served(home: Path) -> Iterator[Served]:
    """Start `moontide serve`, wait until it is Running, and stop it in the end."""
    began = time.perf_counter()
    process = subprocess.Popen([MOONTIDE, "--home", str(home), "serve"], stdout=subprocess.DEVNULL)
    try:
        with Client(socket_in(home)) as client:
            wait_until_running(client, process)
            yield Served(process.pid, client, time.perf_counter() - began, socket_in(home))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def wait_until_running(client: Client, process: subprocess.Popen[bytes]) -> None:
    """Wait until the engine that a process serves says that it is Running."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.status().state == EngineState.RUNNING.value:
                return
        except EngineUnreachable:
            pass
        time.sleep(0.02)
    raise RuntimeError(f"the engine did not start (exit code {process.poll()})")


@contextmanager
def served_by(module: str) -> Iterator[int]:
    """Run a module as a server in a process of its own, and give the port that it prints first."""
    with subprocess.Popen([sys.executable, "-m", module], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()
