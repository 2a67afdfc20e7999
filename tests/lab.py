"""Lua programs in the real sandbox with real plugins and a real store, for tests of documents and samples."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from engine.catalog.found import Found
from engine.catalog.jobfiles import JobFiles
from engine.extensions.plugins import Candidate, Plugins, find_plugins, load_plugins
from engine.extensions.runlog import RunLog
from engine.parts import make_job_files, make_pool, make_runner
from engine.run import LogLine, Outcome, RunRequest
from engine.runs.runner import Runner
from engine.sandbox.pool import WorkerPool
from engine.settings import Settings
from engine.states import Trigger
from engine.store.database import open_database
from engine.store.documents import StoredDocuments
from engine.store.journal import Journal
from engine.store.schema import migrate
from engine.times.clock import SystemClock


@dataclass
class Lab:
    """One jobs folder and one document store, in which programs are declared and run."""

    settings: Settings
    plugins: Plugins
    files: JobFiles
    runner: Runner
    documents: StoredDocuments
    log: list[str] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: count(1))

    async def declare(self, name: str, text: str) -> Found:
        """Read a program's settings as a reload does."""
        return await self.files.declare_text(name, f"{name}.lua", text.encode())

    async def run(self, name: str, text: str, data: Any = None) -> Outcome:
        """Declare a program, which must succeed, and run it once."""
        found = await self.declare(name, text)
        assert found.settings is not None, found.error
        limits = found.settings.limits(self.settings.run_limits())
        request = RunRequest(
            run_id=next(self._ids),
            job=name,
            source=text.encode(),
            source_hash=found.source_hash or "",
            trigger=Trigger.MANUAL,
            due=SystemClock().now(),
            data=data,
            timezone=found.settings.timezone,
            limits=limits,
            allow=found.settings.allow,
            settings=found.settings.added,
        )
        log = RunLog(limits=limits, clock=SystemClock(), keep=self._keep)
        return await self.runner.run(request, log=log)

    def _keep(self, line: LogLine) -> None:
        self.log.append(f"{line.level}: {line.text}")


@asynccontextmanager
async def open_pool(plugins: Plugins) -> AsyncIterator[WorkerPool]:
    """Start workers that know these plugins."""
    pool = make_pool(Settings(), plugins)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


@asynccontextmanager
async def open_lab(
    pool: WorkerPool,
    plugins: Plugins,
    jobs: Path,
    store: Path,
    *,
    home: Path | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[Lab]:
    """Open a lab on a folder of job files, with an empty store in another folder.

    Args:
        home: the home folder that the modules' services get; the store's folder if None. With settings
            from `load_settings(home)`, the modules get their tables of its moontide.toml.
    """
    clock = SystemClock()
    database = open_database(f"sqlite:///{store / 'lab.db'}")
    await asyncio.to_thread(migrate, database.writer)
    journal = Journal(database.writer, clock=clock, on_stalled=lambda *_: None, on_recovered=lambda _: None)
    journal.start()
    try:
        settings = settings or Settings()
        documents = StoredDocuments(journal, database.reader, clock=clock)
        files = make_job_files(jobs, pool, settings, additions=plugins.additions)
        async with AsyncExitStack() as parts:
            runner = await make_runner(pool, plugins, documents, files, settings, parts, home=home or store)
            yield Lab(settings, plugins, files, runner, documents)
    finally:
        await journal.stop()
        database.close()


def plugins_with(strangers: Sequence[Candidate] = ()) -> Plugins:
    """Load the engine's own plugins, and some others."""
    own = [candidate for candidate in find_plugins() if candidate.built_in]
    return load_plugins(candidates=[*own, *strangers])
