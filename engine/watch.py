"""Watching the jobs folder: a saved file is reloaded by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from watchfiles import Change, awatch

from engine.errors import MoontideError
from engine.jobs.jobfolder import LIBRARY

logger = logging.getLogger("moontide.watch")

#: How long a burst of changes is collected, in milliseconds; the watcher sleeps in between.
GATHER_MS = 200
#: How long to wait before a folder that is gone is looked for again.
RETRY_SECONDS = 2.0

Reload = Callable[[set[str] | None], Awaitable[None]]


class Watcher:
    """Tells which jobs' files changed, as the kernel reports it."""

    def __init__(self, folder: Path, reload: Reload) -> None:
        """Make a watcher.

        Args:
            reload: called with the names of the jobs whose files changed, or None if that can only be
                told by looking at the whole folder.
        """
        self._folder = folder
        self._reload = reload
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch, on the running loop."""
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._task is not None:
            await self._task

    async def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                await self._follow()
            except FileNotFoundError:
                logger.error("the jobs folder %s is gone; it is watched again when it returns", self._folder)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), RETRY_SECONDS)

    async def _follow(self) -> None:
        async for changes in awatch(
            self._folder, watch_filter=_worth_a_look, stop_event=self._stop, step=GATHER_MS, debounce=1600
        ):
            names = changed_jobs(self._folder, (path for _, path in changes))
            if names == set():
                continue
            try:
                await self._reload(names)
            except MoontideError as error:
                logger.error("changed files were not reloaded: %s", error)


def changed_jobs(folder: Path, paths: Iterable[str]) -> set[str] | None:
    """Return the names of the jobs whose files these are, or None if more than that may have changed."""
    names: set[str] = set()
    for path in paths:
        relative = Path(path).relative_to(folder)
        if any(part.startswith(".") for part in relative.parts):
            # No job, as the files for editors in .luals/.
            continue
        if relative.suffix != ".lua" or relative.parts[0] == LIBRARY:
            return None
        names.add(str(relative.with_suffix("")))
    return names


def _worth_a_look(_change: Change, path: str) -> bool:
    name = Path(path).name
    return not name.startswith(".") and (name.endswith(".lua") or "." not in name)
