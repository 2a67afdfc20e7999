"""Whether two jobs folders hold the same: one hash of the names and contents of all Lua files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from engine.jobs.jobfolder import SUFFIX


class FolderHash:
    """The hash of one folder; a file is read again only when its time or its size has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[tuple[int, int], str]] = {}

    def now(self) -> str | None:
        """Return the hash of what the folder holds now, or None if it cannot be read; it blocks."""
        try:
            found = {path: self._of(path) for path in self._files()}
        except OSError:
            return None
        self._known = found
        whole = hashlib.sha256()
        for path, (_, digest) in sorted(found.items()):
            whole.update(f"{path}\0{digest}\n".encode("utf-8", "surrogateescape"))
        return whole.hexdigest()[:16]

    def _files(self) -> list[str]:
        found = []
        for folder, _, names in os.walk(self._folder, onerror=_raise):
            relative = os.path.relpath(folder, self._folder)
            found += [
                os.path.normpath(os.path.join(relative, name)) for name in names if name.endswith(SUFFIX)
            ]
        return found

    def _of(self, path: str) -> tuple[tuple[int, int], str]:
        state = os.stat(self._folder / path)
        seen = (state.st_mtime_ns, state.st_size)
        known = self._known.get(path)
        if known is not None and known[0] == seen:
            return known
        return seen, hashlib.sha256((self._folder / path).read_bytes()).hexdigest()


def _raise(error: OSError) -> None:
    raise error
