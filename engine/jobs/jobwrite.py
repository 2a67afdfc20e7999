"""Writing job files: whole or not at all, below the jobs folder, never over somebody else's change."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from engine.confined import ConfinedFolder, place_over, write_whole
from engine.errors import JobFileError, JobNotFound, Refused
from engine.jobs.jobfolder import check_job_name, read_job_file

TEMPLATE = """\
local job = core.job {
  every = "1h",
  description = "",
}

function job.run()
  -- Place your code here.

  return job.OK
end

return job
"""


def write_job_file(
    folder: Path, name: str, text: str, *, expected_hash: str | None, create: bool, max_bytes: int
) -> str:
    """Write a job's file and return its path below the folder.

    Args:
        expected_hash: SHA-256 of the text that the caller has seen; None does not check.
        create: the file must not exist yet; otherwise it must.
        max_bytes: size up to which a file is taken.

    Raises:
        Refused: the file exists, or changed, although the caller expected otherwise.
        JobNotFound: there is no such file to write over.
        JobFileError: the name cannot be a job's, or the text is too large.
    """
    path = check_job_name(name) + ".lua"
    data = text.encode("utf-8")
    if len(data) > max_bytes:
        raise JobFileError(f"{path} would have {len(data)} bytes; the limit is {max_bytes}")
    with _open_parent(folder, path, make=create) as parent:
        leaf = PurePosixPath(path).name
        present = _present(folder, path, leaf, parent, max_bytes)
        _check_expectations(name, present, expected_hash, create)
        _replace(parent, leaf, data)
    return path


def delete_job_file(folder: Path, path: str) -> None:
    """Remove a job's file; one that is gone already is no error.

    Raises:
        JobFileError: it cannot be removed.
    """
    try:
        with _open_parent(folder, path, make=False) as parent:
            os.unlink(PurePosixPath(path).name, dir_fd=parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise JobFileError(f"{path} cannot be removed: {error.strerror}") from error


def _check_expectations(name: str, present: bytes | None, expected_hash: str | None, create: bool) -> None:
    if create and present is not None:
        raise Refused(f"job {name} exists already; choose another name, or edit that one")
    if not create and present is None:
        raise JobNotFound(name)
    if present is not None and expected_hash not in (None, hashlib.sha256(present).hexdigest()):
        raise Refused(f"job {name} was changed by somebody else meanwhile; look at their change first")


def _present(folder: Path, path: str, leaf: str, parent: int, max_bytes: int) -> bytes | None:
    try:
        os.stat(leaf, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    try:
        return read_job_file(folder, path, max_bytes)
    except JobFileError:
        return b""


def _replace(parent: int, leaf: str, data: bytes) -> None:
    try:
        write_whole(parent, leaf, [data], place_over)
    except OSError as error:
        raise JobFileError(f"{leaf} cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def _open_parent(folder: Path, path: str, *, make: bool) -> Iterator[int]:
    confined, above = ConfinedFolder(folder), PurePosixPath(path).parts[:-1]
    with contextlib.ExitStack() as opened:
        try:
            parent = opened.enter_context((confined.made_folder if make else confined.folder)(above))
        except NotADirectoryError as error:
            raise JobFileError(f"{path}: {'/'.join(above)} is no folder (or a link)") from error
        yield parent
