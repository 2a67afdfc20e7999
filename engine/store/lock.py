"""One engine for each home folder, and one for each database file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from engine.errors import DatabaseInUse, HomeInUse, StoreError


class HomeLock:
    """Keeps other engines out of a home folder.

    The lock file stays when the lock is let go; only the lock on it counts, and inside is the process id of
    its holder.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "engine.lock"
        self._home = home
        self._lock = _FileLock(self.path)

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            HomeInUse: another engine holds it.
            StoreError: nothing can be written in the home folder.
        """
        try:
            holder = self._lock.take(f"{os.getpid()}\n")
        except OSError as error:
            raise StoreError(f"the home folder {self._home} cannot be used: {error}") from error
        if holder is not None:
            raise HomeInUse(str(self._home), _pid_in(holder))

    def release(self) -> None:
        """Let other engines in."""
        self._lock.release()


class DatabaseLock:
    """Keeps engines of other homes out of a database file, whichever way they name it.

    Two engines on one database would take each other's runs for those of a dead one. The lock file stands
    beside the database itself, also where the path leads there by links; inside are the process id of its
    holder, and that engine's home.
    """

    def __init__(self, database: Path, home: Path) -> None:
        self._database = database.resolve()
        self.path = self._database.with_name(f"{self._database.name}.lock")
        self._home = home
        self._lock = _FileLock(self.path)

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            DatabaseInUse: an engine with another home holds it.
            StoreError: there can be no lock file beside the database.
        """
        try:
            holder = self._lock.take(f"{os.getpid()}\n{self._home.absolute()}\n")
        except OSError as error:
            raise StoreError(f"the database {self._database} cannot be used: {error}") from error
        if holder is not None:
            _, _, home = holder.partition("\n")
            raise DatabaseInUse(str(self._database), home.strip(), _pid_in(holder))

    def release(self) -> None:
        """Let other engines in."""
        self._lock.release()


class _FileLock:
    """A lock on a file that the kernel holds, and lets go when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, holder: str) -> str | None:
        """Take the lock and write down who holds it; return what stands there if another one does."""
        # Not inheritable: a child that outlives the engine must not keep the lock.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found = os.pread(descriptor, 8192, 0).decode("utf-8", "replace")
            os.close(descriptor)
            return found
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
        self._descriptor = descriptor
        return None

    def release(self) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            # Not by closing alone: a child that is being made right now has a copy for an instant.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None


def _pid_in(holder: str) -> int | None:
    first = holder.partition("\n")[0].strip()
    return int(first) if first.isdigit() else None
