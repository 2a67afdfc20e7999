"""The files of one jobs folder: which there are, what each declares, and their texts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from engine.catalog.found import Found
from engine.catalog.judging import Judge
from engine.declarations import FORGETFUL, Memory
from engine.declaring import Declare, Declaring, FileRead
from engine.errors import JobFileError
from engine.jobs.jobfolder import scan_jobs
from engine.jobs.overrides import NONE, Overrides
from engine.jobsources import JobSources, Library, sha256
from engine.runs.job import BuiltIn, Job, Source
from engine.sandbox.program import Declaration

logger = logging.getLogger("moontide.catalog")


class JobFiles:
    """Reads a jobs folder.

    Files are declared in the sandbox side by side; a file that did not change since (nor a library module
    it uses) is not declared again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        declare: Declare,
        judge: Judge,
        source_bytes: int,
        built_in: Iterable[BuiltIn] = (),
        memory: Memory = FORGETFUL,
    ) -> None:
        """Make a reader of a folder; nothing is read yet.

        Args:
            declare: runs a file's declare phase in the sandbox.
            judge: says which of the settings that a file declares count.
            source_bytes: size up to which a file is taken.
            built_in: the engine's own jobs, which are there whatever the folder holds.
            memory: keeps what files declare from one engine to the next.
        """
        self.folder = folder
        self.judge = judge
        self.built_in = {job.name: job for job in built_in}
        self._declare = declare
        self._sources = JobSources(folder, source_bytes)
        self.declaring = Declaring(sources=self._sources, declare=declare, memory=memory)

    async def look(
        self, overrides: Mapping[str, Overrides] | None = None, names: set[str] | None = None
    ) -> list[Found]:
        """Scan the folder and declare what is there.

        Args:
            overrides: the operators' settings by job; none without.
            names: the jobs to look at; None means all.

        Returns:
            what each file turned out to be, and the engine's own jobs, by name.
        """
        given = overrides or {}
        paths, problems = await asyncio.to_thread(scan_jobs, self.folder)
        found = [Found(name=name, path=path, error=reason) for name, (path, reason) in problems.items()]
        wanted = [(name, path) for name, path in paths.items() if names is None or name in names]
        if names is not None:
            found = [one for one in found if one.name in names]
        found = [replace(one, overrides=given.get(one.name, NONE)) for one in self._beside_built_in(found)]
        found.extend(await self.declaring.read(wanted, lambda file: self._judge_file(file, given)))
        self.declaring.forget_missing(paths, names)
        found.extend(self._own(job) for job in self.built_in.values() if names is None or job.name in names)
        return sorted(found, key=lambda one: one.name)

    async def source(self, job: Job) -> Source:
        """Return a job file's present text; it is read only when its size or time changed.

        Raises:
            JobFileError: the file is gone or cannot be used, or the job is one of the engine's own.
        """
        if job.work is not None:
            raise JobFileError(f"job {job.name} is the engine's own and has no file")
        return await self._sources.present(job.path)

    def library(self) -> Library:
        """Return a reader of library modules for one run."""
        return self._sources.library()

    def module_hash(self, module: str) -> str | None:
        """Return the hash of a library module's present text, None if there is none; blocks."""
        return self._sources.module_hash(module)

    async def declare_text(self, name: str, path: str, text: bytes) -> Found:
        """Declare a text as if it were this job's file, and return what it is."""
        declaration = await self._declare(path, text, self.library())
        if declaration.interrupted:
            # The machine's fault, perhaps, as in `Declaring`.
            declaration = await self._declare(path, text, self.library())
        return self._judged(name, path, sha256(text), declaration, NONE)

    def _beside_built_in(self, found: list[Found]) -> list[Found]:
        """Return what cannot be jobs, without files that have the name of one of the engine's own."""
        for one in found:
            if one.name in self.built_in:
                logger.warning("%s is left out: %s", one.path, one.error)
        return [one for one in found if one.name not in self.built_in]

    def _own(self, job: BuiltIn) -> Found:
        schedule = job.settings.schedule(self.judge.timezone)
        return Found(job.name, "", settings=job.settings, schedule=schedule)

    def _judge_file(self, file: FileRead, overrides: Mapping[str, Overrides]) -> Found:
        """Return what a file is that was read just now."""
        given = overrides.get(file.name, NONE)
        if file.declared is None:
            return Found(file.name, file.path, error=file.error, overrides=given)
        declared = file.declared
        return self._judged(file.name, file.path, declared.source_hash, declared.declaration, given)

    def _judged(
        self, name: str, path: str, source_hash: str, declaration: Declaration, overrides: Overrides
    ) -> Found:
        found = Found(name, path, source_hash, overrides=overrides)
        if declaration.error is not None:
            return replace(found, error=declaration.error, line=declaration.line)
        return self.judge.judged(replace(found, declared=declaration.settings or {}))
