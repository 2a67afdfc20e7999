"""The folder of job files: which names it may hold, what lies in it, and how a file is read safely.

Everything is opened below the folder one name at a time and without following links, so that no name,
`..`, absolute path or link leads out of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from engine.errors import JobFileError
from engine.times.quantities import format_size

#: The folder below the jobs folder that holds modules for `require`, not jobs.
LIBRARY = "lib"

#: The first part of the names of the engine's own jobs.
OWN = "moontide"
SUFFIX = ".lua"
LONGEST_NAME = 200
MOST_SOURCE_BYTES = 256 * 2**10

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_MODULE = re.compile(rf"{LIBRARY}(\.[A-Za-z0-9_]+)+")
_BYTECODE = b"\x1bLua"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINK = "is a symbolic link; links are not followed: put the file itself here"


def check_job_name(name: str) -> str:
    """Return `name` if a job may have it.

    A name is the file's path below the jobs folder without `.lua`: parts of ASCII letters, digits, `_`, `-`
    and `.`, joined by `/`; none begins with `.` or `-`. The first is not `lib`, nor `moontide` with others
    behind it.

    Raises:
        JobFileError: says what is wrong with it.
    """
    if not name or len(name) > LONGEST_NAME:
        raise JobFileError(f"a job name has 1 to {LONGEST_NAME} characters")
    parts = name.split("/")
    for part in parts:
        if not _PART.fullmatch(part):
            raise JobFileError(
                f"{name!r} cannot be a job name: each part is made of letters, digits, _ - and ., "
                "and begins with a letter, a digit or _"
            )
    if parts[0] == LIBRARY:
        raise JobFileError(f"{name!r} cannot be a job name: {LIBRARY}/ holds modules for require, not jobs")
    if parts[0] == OWN and len(parts) > 1:
        raise JobFileError(f"{name!r} cannot be a job name: {OWN}/ is for the engine's own jobs")
    return name


def job_name(relative: str) -> str:
    """Return the name of the job in a file: `admin/cleanup.lua` holds `admin/cleanup`.

    Args:
        relative: the path below the jobs folder, with `/`.

    Raises:
        JobFileError: the file cannot be a job's.
    """
    if not relative.endswith(SUFFIX):
        raise JobFileError(f"{relative!r} is not a job file: its name does not end in {SUFFIX}")
    return check_job_name(relative.removesuffix(SUFFIX))


def library_path(module: str) -> str:
    """Return the path of a module below the jobs folder: `lib.money` is `lib/money.lua`.

    Raises:
        JobFileError: no module can have this name.
    """
    if len(module) > LONGEST_NAME or not _MODULE.fullmatch(module):
        raise JobFileError(
            f"{module[:LONGEST_NAME]!r} cannot be required: only modules below the jobs folder's {LIBRARY}/ "
            'can, such as require "lib.money"'
        )
    return module.replace(".", "/") + SUFFIX


def scan_library(folder: Path) -> list[str]:
    """List the library modules below a folder, by their names, in order; other files are passed over.

    Links are not followed.
    """
    found: list[str] = []
    waiting = [f"{LIBRARY}/"]
    while waiting:
        below = waiting.pop()
        # A folder that went meanwhile holds nothing.
        with contextlib.suppress(OSError):
            for entry in _entries(folder / below):
                path = below + entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path + "/")
                elif entry.is_file(follow_symlinks=False) and (name := _module_in(path)):
                    found.append(name)
    return sorted(found)


def _module_in(path: str) -> str | None:
    name = path.removesuffix(SUFFIX).replace("/", ".")
    return name if path.endswith(SUFFIX) and _MODULE.fullmatch(name) else None


def scan_jobs(folder: Path) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """List the job files below a folder.

    Hidden entries, other files and the top `lib/` are passed over; links are not followed.

    Returns:
        paths by job name, and what cannot be a job: (path, reason) by the name that it would have, both
        with escapes where a name is not printable. Paths are below the folder.

    Raises:
        JobFileError: the folder itself cannot be read.
    """
    paths: dict[str, str] = {}
    problems: dict[str, tuple[str, str]] = {}
    try:
        waiting = [("", _entries(folder))]
    except OSError as error:
        raise JobFileError(f"the jobs folder {folder} cannot be read: {error.strerror}") from error
    while waiting:
        below, entries = waiting.pop()
        for entry in entries:
            path = below + entry.name
            if path == LIBRARY or entry.name.startswith("."):
                continue
            if reason := _reason_against(entry, path):
                shown = _printable(path)
                problems[shown.removesuffix(SUFFIX)] = (shown, reason)
            elif entry.is_dir(follow_symlinks=False):
                try:
                    waiting.append((path + "/", _entries(folder / path)))
                except OSError as error:
                    shown = _printable(path)
                    problems[shown] = (shown, f"the folder cannot be read: {error.strerror}")
            elif path.endswith(SUFFIX):
                paths[job_name(path)] = path
    return paths, problems


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _printable(path: str) -> str:
    """Return a path for lists: what no screen or database takes (bytes that are no UTF-8) is escaped."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in path)


def _reason_against(entry: os.DirEntry[str], path: str) -> str | None:
    """Return why what looks like a job file, or a folder of such, cannot be used."""
    if entry.is_symlink():
        return _LINK if path.endswith(SUFFIX) or entry.is_dir() else None
    if not path.endswith(SUFFIX):
        return None
    if entry.is_dir(follow_symlinks=False):
        return "is a folder, not a file; rename it"
    try:
        job_name(path)
    except JobFileError as error:
        return str(error)
    return None if entry.is_file(follow_symlinks=False) else "is not a regular file"


def read_job_file(folder: Path | int, relative: str, max_bytes: int = MOST_SOURCE_BYTES) -> bytes:
    """Return the text of a job file or library module.

    Args:
        folder: the jobs folder, as a path or an open descriptor.
        relative: the path below it, with `/`.
        max_bytes: the size up to which a file is taken.

    Returns:
        UTF-8 text, not empty; a byte order mark in front is left out.

    Raises:
        JobFileError: the file is missing, not a regular one, reached by a link, unreadable, too large,
            empty, not UTF-8, or compiled.
    """
    try:
        with _opened(folder, relative) as descriptor:
            text = _read(descriptor, max_bytes)
    except OSError as error:
        raise JobFileError(_words_for(error)) from error
    _check_text(text)
    return text.removeprefix(_BYTE_ORDER_MARK)


@contextlib.contextmanager
def _opened(folder: Path | int, relative: str) -> Iterator[int]:
    """Open a file name by name, each below the one before; nothing on the way may be a link."""
    parts = relative.split("/")
    if not all(_PART.fullmatch(part) for part in parts):
        raise JobFileError(f"{relative!r} is not a path below the jobs folder")
    flags = os.O_RDONLY | os.O_CLOEXEC
    with contextlib.ExitStack() as opened:

        def step(name: Path | str, more: int, parent: int | None = None) -> int:
            descriptor = os.open(name, flags | more, dir_fd=parent)
            opened.callback(os.close, descriptor)
            return descriptor

        at = folder if isinstance(folder, int) else step(folder, os.O_DIRECTORY)
        for part in parts[:-1]:
            at = step(part, os.O_DIRECTORY | os.O_NOFOLLOW, at)
        # Without O_NONBLOCK, opening a pipe would wait for somebody to write.
        yield step(parts[-1], os.O_NOFOLLOW | os.O_NONBLOCK, at)


def _read(descriptor: int, max_bytes: int) -> bytes:
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise JobFileError("is a folder, not a file; rename it")
    if not stat.S_ISREG(status.st_mode):
        raise JobFileError("is not a regular file")
    chunks, room = [], max_bytes + 1
    while room > 0 and (chunk := os.read(descriptor, room)):
        chunks.append(chunk)
        room -= len(chunk)
    if room <= 0:
        size = format_size(max(status.st_size, max_bytes + 1))
        raise JobFileError(f"the file has {size}; the limit is {format_size(max_bytes)} (limits.source)")
    return b"".join(chunks)


def _check_text(text: bytes) -> None:
    if not text:
        raise JobFileError("the file is empty; a job file ends with `return job`")
    if text.startswith(_BYTECODE):
        raise JobFileError("the file is compiled Lua; only source text is run")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise JobFileError(
            f"is not UTF-8 text (byte {text[error.start]:#04x} at line {line}); save it as UTF-8"
        ) from error


def _words_for(error: OSError) -> str:
    match error.errno:
        case errno.ENOENT:
            return "the file is missing"
        case errno.ELOOP | errno.ENOTDIR:
            return f"the file {_LINK}"
        case errno.EACCES | errno.EPERM:
            return "the file cannot be read: permission denied; let the engine's user read it"
        case _:
            return f"the file cannot be read: {error.strerror}"
