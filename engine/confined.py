"""A folder that nothing leads out of: no name, `..`, absolute path or link, also while others change it.

Each path is opened name by name, every name below the descriptor of the one before and without following
links. What somebody puts in place of a checked name meanwhile can make a call fail, but not lead it away.
Errors of the operating system are let through; the callers know what they mean for their users.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from engine.errors import PathRefused

#: Longest path below a folder, in bytes, and longest name in it.
LONGEST_PATH = 1000
LONGEST_NAME = 255

#: Deepest path below a folder.
MOST_NAMES = 32

#: Begins the names of files that are being written; nobody else may use such a name.
TEMPORARY = ".moontide-"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CHUNK_BYTES = 2**18

#: Gives a written file its name: (descriptor of the folder, temporary name, wanted name).
Place = Callable[[int, str, str], None]


def split_path(path: str) -> tuple[str, ...]:
    """Return the names in a path below a folder, such as `reports/may.txt`.

    Raises:
        PathRefused: says what is wrong with it.
    """
    if not path or len(path.encode()) > LONGEST_PATH:
        raise PathRefused(f"a path has 1 to {LONGEST_PATH} characters")
    if path.startswith("/"):
        raise PathRefused("a path is told from the folder itself, without / in front")
    names = tuple(path.split("/"))
    if len(names) > MOST_NAMES:
        raise PathRefused(f"a path has up to {MOST_NAMES} parts")
    for name in names:
        _check_name(name)
    return names


def _check_name(name: str) -> None:
    if name in ("", ".", ".."):
        raise PathRefused(f"a path has no part {name!r}")
    if len(name.encode()) > LONGEST_NAME:
        raise PathRefused(f"a name in a path has up to {LONGEST_NAME} characters")
    if not name.isprintable():
        raise PathRefused("a path has printable characters only")
    if name.startswith(TEMPORARY):
        raise PathRefused(f"no name begins with {TEMPORARY}; the engine uses those while it writes")


class ConfinedFolder:
    """One folder and what lies below it."""

    def __init__(self, path: Path) -> None:
        """Make the access to a folder; it need not exist yet, and may itself be reached by links."""
        self.path = path

    @contextlib.contextmanager
    def folder(self, names: Sequence[str]) -> Iterator[int]:
        """Open a folder below this one, or this one without names, and yield its descriptor.

        Raises:
            OSError: it cannot be opened; ELOOP or ENOTDIR where something on the way is a link or a file.
        """
        with contextlib.ExitStack() as opened:
            at = _step(opened, self.path, _FOLDER)
            for name in names:
                at = _step(opened, name, _FOLDER | os.O_NOFOLLOW, at)
            yield at

    @contextlib.contextmanager
    def made_folder(self, names: Sequence[str]) -> Iterator[int]:
        """As `folder`; what is missing is made, this folder itself included."""
        self.path.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as opened:
            at = _step(opened, self.path, _FOLDER)
            for name in names:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=at)
                    os.fsync(at)
                at = _step(opened, name, _FOLDER | os.O_NOFOLLOW, at)
            yield at

    @contextlib.contextmanager
    def file(self, names: Sequence[str]) -> Iterator[int]:
        """Open a regular file for reading and yield its descriptor.

        Raises:
            OSError: it cannot be opened; ELOOP for a link.
            PathRefused: it is no regular file.
        """
        with self.folder(names[:-1]) as parent, open_regular(parent, names[-1], os.O_RDONLY) as descriptor:
            yield descriptor

    def read(self, names: Sequence[str], max_bytes: int) -> bytes:
        """Return what a regular file holds.

        Raises:
            OSError: it cannot be read.
            PathRefused: it is no regular file, or larger than `max_bytes`.
        """
        with self.file(names) as descriptor:
            data = b"".join(read_chunks(descriptor, max_bytes + 1))
        if len(data) > max_bytes:
            raise PathRefused(f"the file has more than {max_bytes} bytes")
        return data


def _step(opened: contextlib.ExitStack, name: str | Path, flags: int, parent: int | None = None) -> int:
    descriptor = os.open(name, flags, dir_fd=parent)
    opened.callback(os.close, descriptor)
    return descriptor


@contextlib.contextmanager
def open_regular(parent: int, name: str, flags: int) -> Iterator[int]:
    """Open a regular file in an open folder, never a link, and yield its descriptor."""
    # Without O_NONBLOCK, opening a pipe would wait for its other end.
    descriptor = os.open(
        name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode=0o644, dir_fd=parent
    )
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PathRefused("it is no regular file")
        yield descriptor
    finally:
        os.close(descriptor)


def read_chunks(descriptor: int, most_bytes: int) -> Iterator[bytes]:
    """Yield what an open file holds, up to so many bytes."""
    while most_bytes > 0 and (chunk := os.read(descriptor, min(most_bytes, _CHUNK_BYTES))):
        most_bytes -= len(chunk)
        yield chunk


def write_whole(parent: int, name: str, chunks: Iterable[bytes], place: Place) -> None:
    """Write a file in an open folder: whole and durable, or not at all.

    Args:
        place: `place_over` or `place_new`.

    Raises:
        OSError: nothing was written; EEXIST where `place_new` meets the name.
    """
    temporary = f"{TEMPORARY}{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o644, dir_fd=parent)
    try:
        with open(descriptor, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(descriptor)
        place(parent, temporary, name)
        os.fsync(parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=parent)


def place_over(parent: int, temporary: str, name: str) -> None:
    """Give a written file its name; what had it is replaced in the same instant."""
    os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)


def place_new(parent: int, temporary: str, name: str) -> None:
    """Give a written file its name, which nothing may have; the check cannot be raced."""
    os.link(temporary, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
