"""A home folder in one file, and back: settings, jobs, files, templates and the database.

The database is copied by SQLite itself while an engine may go on writing: the copy is what was committed at
one moment. One on a server is left to the server's tools. A backup holds all that the home holds, secrets in
moontide.toml included, and is readable for its owner alone.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from engine.errors import Refused
from engine.settings import FILE_NAME, Settings
from engine.store.dialects import copy_file, file_of
from engine.store.lock import HomeLock
from engine.version import VERSION

MANIFEST = "moontide-backup.json"

#: The last member: without it something is missing. Backups whose manifest does not announce it have none.
END = "moontide-backup-end.json"
SEALED = "sealed"
DATABASE = "database.db"
HOME = "home"
JOBS = "jobs"

_CHUNK_BYTES = 2**20

#: Folders of a home that belong to it besides the jobs.
FOLDERS = ("files", "templates", "plugins")


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds, or what was restored from it."""

    path: str
    made: str
    version: str
    files: int
    bytes: int


def write_backup(home: Path, settings: Settings, target: Path, *, now: datetime) -> BackupReport:
    """Write a home folder into one new file; an engine may run meanwhile.

    Args:
        target: a file that does not exist yet; it is there whole, or not at all.

    Raises:
        Refused: the file exists, or cannot be written; or the database is not an SQLite file.
        StoreError: the database cannot be read.
    """
    database = database_file(home, settings)
    if target.exists():
        raise Refused(f"{target} exists already; choose another name")
    manifest = {"moontide": VERSION, "made": now.isoformat(timespec="seconds"), SEALED: "yes"}
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        count = _write(unfinished, home, settings, database, manifest)
        os.rename(unfinished, target)
    except OSError as error:
        raise Refused(f"{target} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return BackupReport(str(target), manifest["made"], manifest["moontide"], count, target.stat().st_size)


def database_file(home: Path, settings: Settings) -> Path:
    """Return the SQLite file of a home.

    Raises:
        Refused: the database is a server; its own tools make its backups.
    """
    file = file_of(settings.database_url(home))
    if file is None:
        raise Refused(
            "the database of this home is on a server: back it up with its own tools, such as pg_dump, "
            "and the folders of the home with yours"
        )
    return file


def _write(path: Path, home: Path, settings: Settings, database: Path, manifest: dict[str, str]) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    count = 0
    with (
        open(descriptor, "wb") as raw,
        tarfile.open(fileobj=raw, mode="w:gz") as archive,
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".moontide-") as scratch,
    ):
        _add_bytes(archive, MANIFEST, json.dumps(manifest).encode())
        if database.exists():
            copy = Path(scratch) / DATABASE
            copy_file(database, copy)
            archive.add(copy, DATABASE, recursive=False)
        for name, file in _files_of(home, settings):
            archive.add(file, name, recursive=False)
            count += 1
        _add_bytes(archive, END, json.dumps({"files": count}).encode())
        archive.close()
        raw.flush()
        os.fsync(raw.fileno())
    return count


def _files_of(home: Path, settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield every regular file to keep, with its name in the backup; links are left out."""
    if (home / FILE_NAME).is_file():
        yield f"{HOME}/{FILE_NAME}", home / FILE_NAME
    folders = [(JOBS, settings.jobs_folder(home)), *((f"{HOME}/{name}", home / name) for name in FOLDERS)]
    for name, folder in folders:
        for below, subfolders, files in os.walk(folder, followlinks=False):
            subfolders.sort()
            for file in sorted(files):
                path = Path(below) / file
                if path.is_file() and not path.is_symlink():
                    yield f"{name}/{path.relative_to(folder).as_posix()}", path


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o600
    archive.addfile(member, io.BytesIO(data))


def restore_backup(source: Path, home: Path) -> BackupReport:
    """Make a home folder of a backup: whole, or not at all.

    Args:
        home: a folder that does not exist or holds neither settings, nor jobs, nor a database.

    Raises:
        Refused: the folder holds something already, an engine works there, or the file is no backup.
        HomeInUse: an engine works there.
    """
    taken = [name for name in (FILE_NAME, "moontide.db", JOBS, *FOLDERS) if (home / name).exists()]
    if taken:
        raise Refused(f"{home} holds {', '.join(taken)} already; restore into an empty folder")
    home.mkdir(parents=True, exist_ok=True)
    lock = HomeLock(home)
    lock.acquire()
    try:
        return _restore(source, home)
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError) as error:
        raise Refused(f"{source} could not be restored: {error}") from error
    finally:
        lock.release()


def _restore(source: Path, home: Path) -> BackupReport:
    with tempfile.TemporaryDirectory(dir=home, prefix=".moontide-restore-") as scratch:
        manifest, count = _unpack(source, Path(scratch))
        _move_all(Path(scratch), home)
    return BackupReport(str(home), manifest["made"], manifest["moontide"], count, source.stat().st_size)


def _unpack(source: Path, into: Path) -> tuple[dict[str, str], int]:
    """Write all that a backup holds below a folder; return its manifest and how many files there were."""
    count, ended = 0, False
    with tarfile.open(source, "r:gz") as archive:
        members = iter(archive)
        manifest = _read_manifest(archive, next(members, None))
        for member in members:
            if member.name == END:
                ended = json.loads(_content(archive, member).read()) == {"files": count}
                continue
            target = _place(into, member)
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_file(target, _content(archive, member), 0o600 if member.name == DATABASE else 0o644)
            count += member.name != DATABASE
        _read_to_end(archive)
    if manifest.get(SEALED) and not ended:
        raise ValueError("it is damaged: not everything is in it that was put there")
    return manifest, count


def _read_manifest(archive: tarfile.TarFile, first: tarfile.TarInfo | None) -> dict[str, str]:
    if first is None or first.name != MANIFEST:
        raise ValueError("it is no backup of Moontide")
    try:
        manifest = json.loads(_content(archive, first).read())
    except RecursionError as error:
        raise ValueError("it is no backup of Moontide") from error
    if not isinstance(manifest, dict) or not all(
        isinstance(manifest.get(key), str) for key in ("made", "moontide")
    ):
        raise ValueError("it is no backup of Moontide")
    return manifest


def _read_to_end(archive: tarfile.TarFile) -> None:
    """Read what is left of the file: at its end stands the checksum of all before."""
    assert archive.fileobj is not None
    while archive.fileobj.read(_CHUNK_BYTES):
        pass


def _move_all(scratch: Path, home: Path) -> None:
    names = sorted(path.name for path in scratch.iterdir())
    taken = [name for name in names if (home / name).exists() or (home / name).is_symlink()]
    if taken:
        raise ValueError(f"{home} holds {', '.join(taken)} already")
    for name in names:
        os.rename(scratch / name, home / name)
    folder = os.open(home, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _place(home: Path, member: tarfile.TarInfo) -> Path:
    """Return where a member belongs; names that lead elsewhere, links and devices are refused."""
    if not member.isreg():
        raise ValueError(f"{member.name} is no regular file")
    if member.name == DATABASE:
        return home / "moontide.db"
    parts = PurePosixPath(member.name).parts
    if len(parts) < 2 or parts[0] not in (HOME, JOBS) or any(part in ("..", "/") for part in parts):
        raise ValueError(f"{member.name} does not belong into a home folder")
    return home.joinpath(*(parts[1:] if parts[0] == HOME else parts))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    if file is None:
        raise ValueError(f"{member.name} is no regular file")
    return file


def _write_file(path: Path, content: IO[bytes], mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(descriptor, "wb") as file:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())
