"""core.files: files in one folder of the home, which no path and no link leads out of."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

import msgspec

from moontide import CoreCall, CoreError, CoreModule, ServiceContext, hookimpl
from moontide.folders import (
    TEMPORARY,
    ConfinedFolder,
    PathRefused,
    open_regular,
    place_new,
    place_over,
    read_chunks,
    split_path,
    write_whole,
)
from moontide.quantities import format_size, parse_size
from plugins.files_quota import Quota

#: What one call can bring back.
MOST_READ_BYTES = 16 * 2**20

WRONG = 801
MISSING = 804
FAILED = 820
TOO_LARGE = 800


class FilesSettings(msgspec.Struct, forbid_unknown_fields=True):
    """The table [files] of moontide.toml."""

    folder: str = "files"
    max_file: int | str = "16MB"
    max_total: int | str = "1GB"
    max_files: int = 10_000

    def __post_init__(self) -> None:
        if not self.folder.strip() or "\0" in self.folder:
            raise ValueError("folder must be a path, from the home folder")
        if self.max_files < 1 or parse_size(self.max_file) < 1 or parse_size(self.max_total) < 1:
            raise ValueError("max_file, max_total and max_files must be more than zero")


class FilesFolder:
    """What the functions work on: the folder, its limits, and the order of appends."""

    def __init__(self, path: Path, settings: FilesSettings) -> None:
        self.folder = ConfinedFolder(path)
        self.max_file = parse_size(settings.max_file)
        self.quota = Quota(
            self.folder, max_bytes=parse_size(settings.max_total), max_entries=settings.max_files
        )
        self.appending = threading.Lock()

    def size(self, names: Sequence[str]) -> int | None:
        """Return how large a file is; None if there is none."""
        try:
            with self.folder.folder(names[:-1]) as parent:
                return os.stat(names[-1], dir_fd=parent, follow_symlinks=False).st_size
        except FileNotFoundError:
            return None

    def room(self, names: Sequence[str], size: int) -> AbstractContextManager[None]:
        """Hold room for a file of a size, and for the folders that may have to be made for it.

        Raises:
            CoreError: 820, the folder is full.
        """
        before = self.size(names)
        return self.quota.room(size - (before or 0), len(names) if before is None else 0)

    def check_size(self, size: int) -> None:
        """Refuse a file that would be too large.

        Raises:
            PathRefused: it would.
        """
        if size > self.max_file:
            raise PathRefused(
                f"the file would have {format_size(size)}; the limit is {format_size(self.max_file)} "
                "(files.max_file)"
            )


files = CoreModule(
    "files",
    summary="Reads and writes files in the home's files folder: core.files.write(path, text), .read(path).",
    settings=FilesSettings,
)


@files.service
@asynccontextmanager
async def open_files(settings: FilesSettings, context: ServiceContext) -> AsyncIterator[FilesFolder]:
    """Give the folder of the settings, which is made when something is first written."""
    path = context.home / settings.folder
    await asyncio.to_thread(_check_apart, path, context.home)
    yield FilesFolder(path, settings)


def _check_apart(path: Path, home: Path) -> None:
    """Refuse a folder with the engine's own settings and database in it."""
    if home.resolve().is_relative_to(path.resolve()):
        raise ValueError(f"[files] folder: {path} holds the home itself; choose a folder for files alone")


@files.function("list", needs=lambda folder: [_checked_folder(folder)])
def list_files(call: CoreCall, folder: str = "") -> list[str]:
    """Return the names of the files in a folder, sorted; folders and links are left out."""
    place: FilesFolder = call.service
    with _told("list", folder):
        try:
            names = _file_names(place.folder, _folder_names(folder))
        except FileNotFoundError:
            if _folder_names(folder):
                raise
            return []
    if sum(len(name.encode()) + 8 for name in names) > MOST_READ_BYTES:
        raise CoreError(f"core.files.list: {_shown(folder)}: {len(names)} names are too many", TOO_LARGE)
    return names


@files.function(needs=lambda path: [_checked(path)])
def exists(call: CoreCall, path: str) -> bool | tuple[bool, str] | tuple[bool, str, int]:
    """Return whether a file or folder is there; if so also "file" or "folder", and the size in bytes."""
    place: FilesFolder = call.service
    *above, name = split_path(path)
    with _told("exists", path):
        try:
            with place.folder.folder(above) as parent:
                status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return False
    if stat.S_ISDIR(status.st_mode):
        return True, "folder"
    return (True, "file", status.st_size) if stat.S_ISREG(status.st_mode) else False


@files.function(needs=lambda path, start, length: [_checked(path)])
def read(call: CoreCall, path: str, start: int = 1, length: int | None = None) -> bytes:
    """Return what a file holds, or `length` bytes of it from the byte `start` on, counted from 1."""
    place: FilesFolder = call.service
    if start < 1 or (length is not None and not 0 <= length <= MOST_READ_BYTES):
        raise CoreError(
            f"core.files.read: start counts from 1, and length goes from 0 to {MOST_READ_BYTES}", WRONG
        )
    with _told("read", path), place.folder.file(split_path(path)) as descriptor:
        size = os.fstat(descriptor).st_size - (start - 1)
        if length is None and size > MOST_READ_BYTES:
            raise CoreError(
                f"core.files.read: {_shown(path)}: {format_size(size)} are too much for one call; give start "
                f"and length, up to {MOST_READ_BYTES} bytes at a time",
                TOO_LARGE,
            )
        os.lseek(descriptor, start - 1, os.SEEK_SET)
        return b"".join(read_chunks(descriptor, MOST_READ_BYTES if length is None else length))


@files.function(needs=lambda path, content: [_checked(path)], large=True)
def write(call: CoreCall, path: str, content: bytes) -> bool:
    """Write a file, in place of one that is there; whoever reads meanwhile sees the old or the new one."""
    place: FilesFolder = call.service
    *above, name = names = split_path(path)
    with _told("write", path):
        place.check_size(len(content))
        with place.room(names, len(content)), place.folder.made_folder(above) as parent:
            write_whole(parent, name, [content], place_over)
    return True


@files.function(needs=lambda path, content: [_checked(path)], large=True)
def append(call: CoreCall, path: str, content: bytes) -> bool:
    """Add to the end of a file, which is made if it is missing; appends of several runs never mix."""
    place: FilesFolder = call.service
    *above, name = names = split_path(path)
    with _told("append", path), place.appending:
        size = (place.size(names) or 0) + len(content)
        place.check_size(size)
        with (
            place.room(names, size),
            place.folder.made_folder(above) as parent,
            open_regular(parent, name, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as descriptor,
        ):
            _append_whole(descriptor, content)
            os.fsync(parent)
    return True


@files.function(needs=lambda source, destination, overwrite: [_checked(source), _checked(destination)])
def copy(call: CoreCall, source: str, destination: str, overwrite: bool = False) -> bool:
    """Copy a file; one at the destination is an error unless `overwrite` is true."""
    place: FilesFolder = call.service
    *above, name = names = split_path(destination)
    with _told("copy", source), place.folder.file(split_path(source)) as descriptor:
        size = os.fstat(descriptor).st_size
        place.check_size(size)
        with (
            _told("copy", destination),
            place.room(names, size),
            place.folder.made_folder(above) as parent,
        ):
            chunks = read_chunks(descriptor, size)
            write_whole(parent, name, chunks, place_over if overwrite else place_new)
    return True


@files.function(needs=lambda source, destination, overwrite: [_checked(source), _checked(destination)])
def move(call: CoreCall, source: str, destination: str, overwrite: bool = False) -> bool:
    """Move a file; one at the destination is an error unless `overwrite` is true."""
    _move(call.service, "move", source, destination, overwrite)
    return True


@files.function(needs=lambda path, name: [_checked(path), _checked(_beside(path, name))])
def rename(call: CoreCall, path: str, name: str) -> bool:
    """Give a file another name in its folder; a folder in the new name is ignored."""
    _move(call.service, "rename", path, _beside(path, name), False)
    return True


@files.function(needs=lambda path: [_checked(path)])
def remove(call: CoreCall, path: str) -> bool:
    """Remove a file, or a folder that is empty."""
    place: FilesFolder = call.service
    *above, name = split_path(path)
    with _told("remove", path), place.folder.folder(above) as parent:
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        (os.rmdir if stat.S_ISDIR(status.st_mode) else os.unlink)(name, dir_fd=parent)
        os.fsync(parent)
    return True


def _move(place: FilesFolder, function: str, source: str, destination: str, overwrite: bool) -> None:
    *above_source, name = split_path(source)
    *above, new_name = names = split_path(destination)
    with (
        _told(function, source),
        place.folder.folder(above_source) as before,
        open_regular(before, name, os.O_RDONLY),
        _told(function, destination),
        place.room(names, 0),
        place.folder.made_folder(above) as after,
    ):
        if overwrite:
            os.rename(name, new_name, src_dir_fd=before, dst_dir_fd=after)
        else:
            os.link(name, new_name, src_dir_fd=before, dst_dir_fd=after, follow_symlinks=False)
            os.unlink(name, dir_fd=before)
        os.fsync(after)
        os.fsync(before)


def _append_whole(descriptor: int, content: bytes) -> None:
    """Append all, or leave the file as it was."""
    end, written = os.fstat(descriptor).st_size, 0
    try:
        while written < len(content):
            written += os.write(descriptor, content[written:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise


def _file_names(folder: ConfinedFolder, names: tuple[str, ...]) -> list[str]:
    with folder.folder(names) as descriptor, os.scandir(descriptor) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_file(follow_symlinks=False)
            and entry.name.isprintable()
            and not entry.name.startswith(TEMPORARY)
        )


def _beside(path: str, name: str) -> str:
    folder, slash, _ = path.rpartition("/")
    return folder + slash + name.rpartition("/")[2]


def _checked_folder(folder: str) -> str:
    path = folder.removesuffix("/")
    return "." if path in ("", ".") else _checked(path)


def _folder_names(folder: str) -> tuple[str, ...]:
    path = folder.removesuffix("/")
    return () if path in ("", ".") else split_path(path)


def _checked(path: str) -> str:
    """Return a path if it is one below the folder; nothing was looked at before."""
    try:
        return "/".join(split_path(path))
    except PathRefused as error:
        raise CoreError(f"core.files: {_shown(path)}: {error}", WRONG) from error


def _shown(path: str) -> str:
    return repr(path if len(path) <= 100 else path[:97] + "...")


@contextlib.contextmanager
def _told(function: str, path: str) -> Iterator[None]:
    """Turn what the operating system refuses into words for the job."""
    try:
        yield
    except PathRefused as error:
        raise CoreError(f"core.files.{function}: {_shown(path)}: {error}", WRONG) from error
    except OSError as error:
        raise CoreError(f"core.files.{function}: {_shown(path)}: {_words_for(error)}", FAILED) from error


def _words_for(error: OSError) -> str:
    match error.errno:
        case errno.ENOENT:
            return "there is no such file or folder"
        case errno.EEXIST:
            return "there is such a file already; give overwrite as true where it may be replaced"
        case errno.ELOOP | errno.ENOTDIR:
            return "a part of it is a link or no folder; links are not followed"
        case errno.EISDIR:
            return "it is a folder"
        case errno.ENOTEMPTY:
            return "the folder is not empty; remove its files first"
        case errno.EACCES | errno.EPERM:
            return "permission denied; let the engine's user use it"
        case errno.ENOSPC | errno.EDQUOT:
            return "no space is left on the disk"
        case errno.EXDEV:
            return "it is on another file system; copy it and remove the old one"
        case _:
            return f"it cannot be used: {error.strerror}"


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `files`."""
    return [files]
