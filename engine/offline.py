"""Job files without an engine: one run of one file, and a look at what is wrong with files.

Nothing of it touches a home folder's database; what a run saves with `core.data` is thrown away.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.catalog.found import Found
from engine.errors import JobFileError
from engine.extensions.plugins import Plugins, load_plugins
from engine.extensions.runlog import RunLog
from engine.jobs.additions import Additions
from engine.jobs.jobfolder import job_name
from engine.parts import make_job_files, make_pool, make_runner
from engine.rules.lifecycle import UNKNOWN
from engine.run import LogLine, Outcome, RunRequest
from engine.runs.job import Job
from engine.sandbox.pool import WorkerPool
from engine.settings import Settings
from engine.states import Trigger
from engine.store.database import open_database
from engine.store.documents import StoredDocuments
from engine.store.journal import Journal
from engine.store.schema import migrate
from engine.times.clock import SystemClock
from engine.views import ProblemView


async def run_file(
    path: Path,
    *,
    data: Any,
    settings: Settings,
    home: Path,
    on_log: Callable[[LogLine], None],
    plugins: Plugins | None = None,
) -> Outcome:
    """Run a job file once.

    Args:
        plugins: those that the job finds below `core`; the installed ones without.
        data: what the job finds in `run.data`.
        home: its jobs folder is where `require` looks, if the file is below it; else the file's own folder.
        on_log: takes each line as it is written.

    Raises:
        JobFileError: the file cannot be used; the text says why.
    """
    folder, relative = place(path, settings.jobs_folder(home))
    if plugins is None:
        plugins = load_plugins(settings.plugins.disable, folder=settings.plugins_folder(home))
    async with _sandbox(settings, plugins) as pool, _documents() as documents, AsyncExitStack() as parts:
        files = make_job_files(folder, pool, settings, additions=plugins.additions)
        job = Job(job_name(relative), relative, UNKNOWN)
        source = await files.source(job)
        found = await files.declare_text(job.name, relative, source.text)
        if found.settings is None:
            raise JobFileError(found.error or f"{relative} cannot be used")
        runner = await make_runner(pool, plugins, documents, files, settings, parts, home=home)
        clock = SystemClock()
        limits = found.settings.limits(settings.run_limits())
        log = RunLog(limits=limits, clock=clock, keep=on_log)
        request = RunRequest(
            run_id=0,
            job=job.name,
            source=source.text,
            source_hash=source.hash,
            trigger=Trigger.MANUAL,
            due=clock.now(),
            data=data,
            timezone=found.settings.timezone or settings.timezone,
            limits=limits,
            allow=found.settings.allow,
            settings=found.settings.added,
        )
        return await runner.run(request, log=log)


async def check_files(paths: Sequence[Path] | None, *, settings: Settings, home: Path) -> list[ProblemView]:
    """Declare job files without running them, and return what is wrong with them.

    Args:
        paths: None checks the whole jobs folder of the home.
    """
    return problems_of(await look_at_files(paths, settings=settings, home=home))


async def look_at_files(paths: Sequence[Path] | None, *, settings: Settings, home: Path) -> list[Found]:
    """Declare job files without running them, and return what each turned out to be.

    Args:
        paths: None looks at the whole jobs folder of the home.
    """
    plugins = load_plugins(settings.plugins.disable, folder=settings.plugins_folder(home))
    async with _sandbox(settings, plugins) as pool:
        if paths is None:
            files = make_job_files(settings.jobs_folder(home), pool, settings, additions=plugins.additions)
            return await files.look()
        return [await _look_at(path, pool, settings, home, plugins.additions) for path in paths]


def problems_of(found: Sequence[Found]) -> list[ProblemView]:
    """Return what is wrong with some files."""
    return [ProblemView(one.path, one.line, one.error) for one in found if one.error is not None]


async def _look_at(
    path: Path, pool: WorkerPool, settings: Settings, home: Path, additions: Additions
) -> Found:
    try:
        folder, relative = place(path, settings.jobs_folder(home))
        files = make_job_files(folder, pool, settings, additions=additions)
        job = Job(job_name(relative), relative, UNKNOWN)
        source = await files.source(job)
    except JobFileError as error:
        return Found(path.stem, str(path), error=str(error))
    found = await files.declare_text(job.name, relative, source.text)
    return replace(found, path=str(path))


def place(path: Path, jobs_folder: Path) -> tuple[Path, str]:
    """Return the jobs folder that a file belongs to, and its path below it.

    A file below the home's jobs folder belongs there; any other one stands in a jobs folder of its own.
    """
    absolute = path.absolute()
    if absolute.is_relative_to(jobs_folder.absolute()):
        return jobs_folder, str(absolute.relative_to(jobs_folder.absolute()))
    return absolute.parent, absolute.name


@asynccontextmanager
async def _sandbox(settings: Settings, plugins: Plugins) -> AsyncIterator[WorkerPool]:
    pool = make_pool(settings, plugins)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


@asynccontextmanager
async def _documents() -> AsyncIterator[StoredDocuments]:
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="moontide-") as folder:
        database = open_database(f"sqlite:///{folder}/run.db")
        migrate(database.writer)
        journal = Journal(
            database.writer, clock=clock, on_stalled=lambda *_: None, on_recovered=lambda *_: None
        )
        journal.start()
        try:
            yield StoredDocuments(journal, database.reader, clock=clock)
        finally:
            await journal.stop()
            database.close()
