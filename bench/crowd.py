"""`python -m bench.crowd HOME COUNT`: the API of an engine with very many jobs, and no engine behind it.

Writing and loading 100,000 job files takes minutes, which tells nothing of the dashboard. The server, what it
encodes and the way that it is sent are the engine's own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from bench.homes import wait_until_running
from engine.api.address import socket_in
from engine.api.client import Client
from engine.api.operations import Operations
from engine.api.server import ApiServer
from engine.events import Events
from engine.runfilter import RunFilter
from engine.states import EngineState, JobStatus
from engine.views import EngineView, JobView, ListedJob, PluginView, RunView, listed


class _NoRuns:
    async def find(self, wanted: RunFilter, *, before: int | None = None, limit: int = 50) -> list[RunView]:
        return []


class _Crowd:
    """As much of an engine as a dashboard asks when it opens the list of jobs."""

    def __init__(self, home: Path, count: int) -> None:
        self.events = Events()
        self.history = _NoRuns()
        self._home = home
        self._started = datetime.now(UTC)
        self._jobs = sorted(
            (_job(number, self._started) for number in range(count)), key=lambda job: job.name
        )
        self._listed = [listed(job) for job in self._jobs]

    def status(self) -> EngineView:
        return EngineView(
            state=EngineState.RUNNING.value,
            version="",
            pid=os.getpid(),
            home=str(self._home),
            jobs_folder=str(self._home / "jobs"),
            database="",
            session=1,
            started=self._started,
            now=datetime.now(UTC),
            jobs=len(self._jobs),
            jobs_by_status={JobStatus.WAITING.value: len(self._jobs)},
            running=0,
            queued=0,
            pool_size=10,
            workers=0,
            runs_total=0,
            journal="ok",
            walls={},
        )

    def jobs(self) -> list[JobView]:
        return self._jobs

    def listed_jobs(self) -> list[ListedJob]:
        return self._listed

    def plugins(self) -> list[PluginView]:
        return []


def name_of(number: int) -> str:
    """Return the name of one of the jobs, which are counted from 0."""
    return f"team{number % 100}/job{number:05}"


def _job(number: int, now: datetime) -> JobView:
    """Return a job as an engine shows one of `bench.homes.many_jobs`."""
    hours = 12 + number % 12
    return JobView(
        name=name_of(number),
        path=f"jobs/{name_of(number)}.lua",
        status=JobStatus.WAITING.value,
        reason="",
        active=True,
        activity="idle",
        schedule=f"every {hours}h",
        next_run=now + timedelta(hours=hours),
        last_run=None,
        last_status=None,
        description=f"Part {number} of the work",
        tags={"team": "bench"},
        settings={
            "every": hours * 3600.0,
            "description": f"Part {number} of the work",
            "timeout": 30.0,
            "tags": {"team": "bench"},
        },
        source_hash=f"{number:064x}",
    )


@contextmanager
def crowd_in(home: Path, count: int) -> Iterator[None]:
    """Serve so many jobs from a home folder, in another process."""
    command = [sys.executable, "-m", "bench.crowd", str(home), str(count)]
    process = subprocess.Popen(command)
    try:
        with Client(socket_in(home)) as client:
            wait_until_running(client, process)
        yield
    finally:
        process.kill()
        process.wait()


async def _serve(home: Path, count: int) -> None:
    server = ApiServer(cast(Operations, _Crowd(home, count)), socket_path=socket_in(home))
    await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    # A dashboard may be ended in the middle of an answer, of which asyncio warns for each piece that is left.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
