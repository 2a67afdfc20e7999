"""Power loss: what a disk may hold when everything that was not synced is lost, in part or as a whole."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.scene import Scene, opened
from tests.faults.writelog import DELETE, HEADER, SYNC, TRUNCATE, WRITE

_ENGINE = str(Path(__file__).with_name("writelog.py"))

#: Disks write whole sectors of this size, or do not.
SECTOR_BYTES = 512


@dataclass(frozen=True, slots=True)
class Change:
    """One write (`data` at `offset`) or truncation (to `offset`)."""

    kind: int
    offset: int
    data: bytes = b""


@dataclass
class FileOnDisk:
    """A file: what is certain to be on the disk, and what was written since the last sync."""

    synced: bytearray = field(default_factory=bytearray)
    unsynced: list[Change] = field(default_factory=list)

    def sync(self) -> None:
        """Let everything that was written reach the disk."""
        for change in self.unsynced:
            _apply(self.synced, change)
        self.unsynced.clear()

    def after_power_loss(self, chance: random.Random, survives: float) -> bytes:
        """Return what is found after a power loss.

        Args:
            survives: how likely each sector that was not synced has reached the disk all the same.
        """
        content = bytearray(self.synced)
        for change in self.unsynced:
            for part in _sectors(change):
                if chance.random() < survives:
                    _apply(content, part)
        return bytes(content)


class Disk:
    """The database files as a log of writes has left them."""

    def __init__(self, log: bytes) -> None:
        """Read a log; an entry that was still being written counts as not there."""
        self.files: dict[str, FileOnDisk] = {}
        self.syncs = 0
        for kind, name, offset, data in _entries(log):
            if kind == DELETE:
                self.files.pop(name, None)
                continue
            file = self.files.setdefault(name, FileOnDisk())
            if kind == SYNC:
                self.syncs += 1
                file.sync()
            else:
                file.unsynced.append(Change(kind, offset, data))

    def lose_power(self, folder: Path, chance: random.Random, survives: float) -> None:
        """Put into a folder what is found after a power loss, in place of its database files."""
        for path in folder.glob("moontide.db*"):
            path.unlink()
        for name, file in self.files.items():
            (folder / name).write_bytes(file.after_power_loss(chance, survives))


@contextmanager
def logged(seed: int) -> Iterator[tuple[Scene, Path]]:
    """Give a scene whose engine writes down what it writes, and the file where it does."""
    with TemporaryDirectory(prefix="ml-") as folder:
        log = Path(folder) / "log"
        with opened(seed, prefix=(sys.executable, _ENGINE), program=str(log)) as scene:
            yield scene, log


def cut_power(scene: Scene, log: Path, times: int) -> int:
    """Cut the power under load, again and again, and start on what the disk holds.

    Half of the time all that was not synced is lost, else any part of it, each sector for itself.

    Returns:
        how often something was synced.
    """
    syncs = 0
    with scene.load():
        for _ in scene.progress.through("power cut", range(times), times):
            scene.pass_time(scene.chance.uniform(0.0, 1.0))
            scene.served.kill()
            disk = Disk(log.read_bytes())
            disk.lose_power(scene.home.path, scene.chance, scene.chance.choice((0.0, 0.0, 0.5, 0.9)))
            log.write_bytes(b"".join(map(_as_found, sorted(scene.home.path.glob("moontide.db*")))))
            syncs += disk.syncs
            scene.start()
            scene.serves()
    return syncs


def _as_found(path: Path) -> bytes:
    """Return the entries of a log for a file that is on the disk as it is."""
    name, content = path.name.encode(), path.read_bytes()
    written = HEADER.pack(WRITE, len(name), 0, len(content)) + name + content
    return written + HEADER.pack(SYNC, len(name), 0, 0) + name


def _entries(log: bytes) -> Iterator[tuple[int, str, int, bytes]]:
    at = 0
    while at + HEADER.size <= len(log):
        kind, name_size, offset, size = HEADER.unpack_from(log, at)
        begin = at + HEADER.size + name_size
        at = begin + size
        if at <= len(log):
            yield kind, log[begin - name_size : begin].decode(), offset, log[begin:at]


def _sectors(change: Change) -> Iterator[Change]:
    """Return the parts of a change that are lost or kept each for itself."""
    if change.kind != WRITE:
        yield change
        return
    at, end = change.offset, change.offset + len(change.data)
    while at < end:
        following = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        yield Change(WRITE, at, change.data[at - change.offset : following - change.offset])
        at = following


def _apply(content: bytearray, change: Change) -> None:
    if change.kind == TRUNCATE:
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
        return
    end = change.offset + len(change.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[change.offset : end] = change.data
