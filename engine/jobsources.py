"""The texts of the jobs folder: job files for each run, library modules for `require`, and their hashes."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any

from engine.errors import JobFileError
from engine.jobs.jobfolder import library_path, read_job_file
from engine.runs.job import Source

#: Texts that are kept in memory, together; of the others only the file is there.
KEPT_BYTES = 8 * 2**20

#: A file's time of change, size and number: as long as they stay, so does its text.
Stamp = tuple[int, int, int]


class Library:
    """Answers `require` from `jobs/lib/`, and remembers what was asked for.

    It also stands as the host of the declare phase, in which nothing else may be called.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        #: By name the hash of each; None for one that could not be had.
        self.modules: dict[str, str | None] = {}

    async def call(self, method: str, args: list[Any]) -> list[Any]:
        """Refuse: core functions are for `job.run()`."""
        raise JobFileError(f"core.{method}: only inside job.run()")

    def notify(self, method: str, args: list[Any]) -> None:
        """Ignore: core functions are for `job.run()`."""

    async def require(self, module: str) -> bytes:
        """Return the source of a library module.

        Raises:
            JobFileError: there is no such module, or its name is not that of one.
        """
        path = library_path(module)
        try:
            text = await asyncio.to_thread(read_job_file, self._folder, path, self._max_bytes)
        except JobFileError as error:
            self.modules[module] = None
            raise JobFileError(f"{path}: {error}") from error
        self.modules[module] = sha256(text)
        return text


class JobSources:
    """Reads the files of one jobs folder; the texts of those that ran last stay in memory."""

    def __init__(self, folder: Path, max_bytes: int, *, kept_bytes: int = KEPT_BYTES) -> None:
        """Make a reader.

        Args:
            max_bytes: size up to which a file is taken.
            kept_bytes: what the texts in memory may have together.
        """
        self._folder = folder
        self._max_bytes = max_bytes
        self._kept_bytes = kept_bytes
        self._room = kept_bytes
        #: By path, the one asked for last at the end.
        self._kept: dict[str, tuple[Stamp, Source]] = {}

    def read(self, path: str) -> Source:
        """Return a job file's present text; blocks.

        Raises:
            JobFileError: the file is gone or cannot be used.
        """
        text = read_job_file(self._folder, path, self._max_bytes)
        return Source(text, sha256(text))

    async def present(self, path: str) -> Source:
        """Return a job file's present text; it is read only when its size or time changed.

        Raises:
            JobFileError: the file is gone or cannot be used.
        """
        # Taken before the text: what changes between the two is read again the next time.
        stamp = self._stamp(path)
        known = self._taken_out(path)
        if known is None or known[0] != stamp:
            source = await asyncio.to_thread(self.read, path)
        else:
            source = known[1]
        if stamp is not None:
            self._keep(path, stamp, source)
        return source

    def library(self) -> Library:
        """Return a reader of library modules for one run."""
        return Library(self._folder, self._max_bytes)

    def module_hash(self, module: str) -> str | None:
        """Return the hash of a library module's present text, None if there is none; blocks."""
        try:
            return sha256(read_job_file(self._folder, library_path(module), self._max_bytes))
        except JobFileError:
            return None

    def _taken_out(self, path: str) -> tuple[Stamp, Source] | None:
        known = self._kept.pop(path, None)
        if known is not None:
            self._room += len(known[1].text)
        return known

    def _keep(self, path: str, stamp: Stamp, source: Source) -> None:
        self._taken_out(path)
        self._kept[path] = (stamp, source)
        self._room -= len(source.text)
        while self._room < 0:
            self._taken_out(next(iter(self._kept)))

    def _stamp(self, path: str) -> Stamp | None:
        try:
            status = os.stat(os.path.join(self._folder, path), follow_symlinks=False)
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size, status.st_ino)


def sha256(text: bytes) -> str:
    """Return the hash by which a source is known, in hexadecimal."""
    return hashlib.sha256(text).hexdigest()
