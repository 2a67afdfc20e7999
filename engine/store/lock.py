"""One engine for each home folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from engine.errors import HomeInUse


class HomeLock:
    """Keeps other engines out of a home folder.

    The kernel holds the lock and lets it go when the process ends, however it ends. The lock file itself
    stays; only the lock on it counts, and inside is the process id of its holder.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "engine.lock"
        self._home = home
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            HomeInUse: another engine holds it.
        """
        # Not inheritable: a child that outlives the engine must not keep the home locked.
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _read_pid(descriptor)
            os.close(descriptor)
            raise HomeInUse(str(self._home), holder) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let other engines in."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            # Not by closing alone: a child that is being made right now has a copy for an instant.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else None
