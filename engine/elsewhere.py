"""Runs that somebody else's engine made, carried out in this process with the settings of a home folder here.

There is no database and no engine to ask: what a run would ask of them is refused in words, so that nothing
seems to be kept that is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from engine.calls.core import NoEngine, Sort
from engine.errors import CoreError
from engine.extensions.modules import Unready
from engine.extensions.plugins import load_plugins
from engine.extensions.runlog import RunLog
from engine.parts import make_job_files, make_pool, make_runner
from engine.run import Outcome, RunRequest
from engine.runs.runner import Runner
from engine.settings import load_settings
from engine.times.clock import SystemClock

#: Takes a line of a run's log: its level and its text.
OnLine = Callable[[str, str], None]


class OwnRunner:
    """Carries runs out in this process's own sandboxed workers."""

    def __init__(self, runner: Runner, services: Mapping[str, Any]) -> None:
        """Make it of an open runner.

        Args:
            services: what the services of core modules yielded, by the module's name.
        """
        self.services = services
        self._runner = runner
        self._clock = SystemClock()

    async def run(
        self, request: RunRequest, *, on_line: OnLine, cancel: asyncio.Future[str] | None = None
    ) -> Outcome:
        """Carry out one run within its limits, and return how it ended; whatever it does, nothing is raised.

        Args:
            request: as the engine's executor was given it.
            on_line: takes each line that the run writes, on this loop.
            cancel: resolved with a reason, it stops the run.
        """
        log = RunLog(
            limits=request.limits, clock=self._clock, keep=lambda line: on_line(line.level, line.text)
        )
        return await self._runner.run(request, log=log, cancel=cancel)


@asynccontextmanager
async def open_runner(home: Path) -> AsyncIterator[OwnRunner]:
    """Open the sandbox, the plugins and the services that the settings of a home folder name.

    Args:
        home: the folder of a `moontide.toml`. Its jobs folder is where `require` looks.

    Raises:
        SettingsError: the settings are wrong.
        MissingWall, PluginError: as an engine that starts.
    """
    settings = load_settings(home)
    plugins = load_plugins(settings.plugins.disable, folder=settings.plugins_folder(home))
    async with AsyncExitStack() as parts:
        pool = make_pool(settings, plugins)
        await pool.start()
        parts.push_async_callback(pool.stop)
        files = make_job_files(settings.jobs_folder(home), pool, settings, additions=plugins.additions)
        runner = await make_runner(
            pool, plugins, NoDocuments(), files, settings, parts, home=home, own_job=NoJob, runs=NoEngine
        )
        ready = {name: one for name, one in runner.services.items() if not isinstance(one, Unready)}
        yield OwnRunner(runner, ready)


class NoDocuments:
    """What stands for `core.data`."""

    async def get(self, source: str, document_id: str) -> dict[str, Any] | None:
        """Refuse."""
        _refuse("core.data")

    async def find(
        self, source: str, query: dict[str, Any], *, sort: Sort = (), offset: int = 0, limit: int
    ) -> list[dict[str, Any]]:
        """Refuse."""
        _refuse("core.data")

    async def save(self, source: str, document: dict[str, Any]) -> str:
        """Refuse."""
        _refuse("core.data")

    async def delete(self, source: str, document_id: str) -> bool:
        """Refuse."""
        _refuse("core.data")


class NoJob:
    """What stands for a run's own job."""

    async def state(self, job: str, *, lasting: bool) -> Any:
        """Refuse."""
        _refuse("job.state")

    async def keep_state(self, job: str, value: Any, *, lasting: bool, run_id: int) -> None:
        """Refuse."""
        _refuse("job.state")

    async def next(self, job: str, when: datetime | timedelta) -> str | None:
        """Refuse."""
        _refuse("job.next")


def _refuse(what: str) -> NoReturn:
    raise CoreError(f"{what} is not to be had here: this run is carried out apart from the engine", 810)
