"""What an engine is set to, and what its jobs share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import JobFileError
from engine.jobs.jobfolder import library_path, read_job_file, scan_library
from engine.jobsources import sha256
from engine.runs.job import Job
from engine.settings import Settings
from engine.settings.views import setting_views
from engine.views import EngineSettingView, ModuleView

#: The jobs that are known to use a module, each with the hash that it knew.
Users = Mapping[str, Mapping[str, str | None]]


class OverviewDesk:
    """Answers the API's questions about settings and library (see `engine.api.operations`)."""

    def __init__(self, *, settings: Settings, jobs: Mapping[str, Job], folder: Path) -> None:
        """Make a desk.

        Args:
            jobs: all jobs of now, by name.
            folder: the jobs folder.
        """
        self._settings = settings
        self._jobs = jobs
        self._folder = folder

    def settings(self) -> list[EngineSettingView]:
        """Return every setting of the engine; secrets are not told."""
        return setting_views(self._settings)

    async def library(self) -> list[ModuleView]:
        """Return the library modules of the jobs folder, and those that jobs miss."""
        users: dict[str, dict[str, str | None]] = {}
        for job in self._jobs.values():
            for module, known in job.modules.items():
                users.setdefault(module, {})[job.name] = known
        return await asyncio.to_thread(self._modules, users)

    async def module_source(self, name: str) -> tuple[str, str]:
        """Return the text of a library module, and its hash."""
        text = await asyncio.to_thread(read_job_file, self._folder, library_path(name))
        return text.decode("utf-8"), sha256(text)

    def _modules(self, users: Users) -> list[ModuleView]:
        names = sorted({*scan_library(self._folder), *users})
        return [self._module(name, users.get(name, {})) for name in names]

    def _module(self, name: str, known: Mapping[str, str | None]) -> ModuleView:
        text, problem = b"", ""
        path = library_path(name)
        try:
            text = read_job_file(self._folder, path)
        except JobFileError as error:
            problem = str(error)
        present = None if problem else sha256(text)
        return ModuleView(
            name=name,
            path=path,
            hash=present,
            size=len(text),
            changed=None if problem else _changed(self._folder / path),
            jobs=sorted(known),
            stale=sorted(job for job, hash_known in known.items() if hash_known != present),
            problem=problem,
        )


def _changed(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(os.stat(path, follow_symlinks=False).st_mtime, UTC)
    except OSError:
        return None
