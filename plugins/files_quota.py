"""How much may lie in the files folder: bytes together, files and folders together."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from moontide import CoreError
from moontide.folders import TEMPORARY, ConfinedFolder

#: What others put into the folder is seen after this time at the latest.
LOOK_AGAIN_SECONDS = 60.0

#: A file half written this long ago belongs to a process that was killed.
STALE_SECONDS = 3600.0


@dataclass
class Usage:
    """What lies in a folder and all folders below it."""

    total_bytes: int = 0
    entries: int = 0


class Quota:
    """Room in a folder, taken before each write."""

    def __init__(self, folder: ConfinedFolder, *, max_bytes: int, max_entries: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._lock = threading.Lock()
        self._used = Usage()
        self._held = Usage()
        self._looked: float | None = None

    @contextlib.contextmanager
    def room(self, more_bytes: int, more_entries: int) -> Iterator[None]:
        """Hold room for a write while it goes on.

        Raises:
            CoreError: 820, the folder is full.
        """
        wanted = Usage(max(more_bytes, 0), more_entries)
        self._hold(wanted)
        try:
            yield
        except BaseException:
            self._settle(wanted, Usage())
            raise
        self._settle(wanted, wanted)

    def _hold(self, wanted: Usage) -> None:
        with self._lock:
            if self._is_old() or self._problem(wanted):
                self._look()
            problem = self._problem(wanted)
            if problem:
                raise CoreError(f"core.files: {problem}; remove files, or let the operator raise it", 820)
            _add(self._held, wanted, 1)

    def _settle(self, held: Usage, written: Usage) -> None:
        with self._lock:
            _add(self._held, held, -1)
            _add(self._used, written, 1)

    def _is_old(self) -> bool:
        return self._looked is None or time.monotonic() - self._looked > LOOK_AGAIN_SECONDS

    def _problem(self, wanted: Usage) -> str | None:
        if self._used.total_bytes + self._held.total_bytes + wanted.total_bytes > self._max_bytes:
            return f"the files folder would hold more than {self._max_bytes} bytes (files.max_total)"
        if self._used.entries + self._held.entries + wanted.entries > self._max_entries:
            return (
                f"the files folder would hold more than {self._max_entries} files and folders "
                "(files.max_files)"
            )
        return None

    def _look(self) -> None:
        self._used, self._looked = Usage(), time.monotonic()
        with contextlib.suppress(FileNotFoundError), self._folder.folder(()) as root:
            for _, folders, names, descriptor in os.fwalk(".", dir_fd=root):
                self._used.entries += len(folders)
                for name in names:
                    with contextlib.suppress(FileNotFoundError):
                        self._count(name, descriptor)

    def _count(self, name: str, folder: int) -> None:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if name.startswith(TEMPORARY):
            if time.time() - status.st_mtime > STALE_SECONDS:
                os.unlink(name, dir_fd=folder)
            return
        self._used.entries += 1
        if stat.S_ISREG(status.st_mode):
            self._used.total_bytes += status.st_size


def _add(usage: Usage, other: Usage, sign: int) -> None:
    usage.total_bytes += sign * other.total_bytes
    usage.entries += sign * other.entries
