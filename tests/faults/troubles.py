"""What an engine's surroundings may do to it for a while, and then no more."""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from engine.api.address import socket_in
from tests.e2e.processes import until
from tests.faults.kills import zygotes
from tests.faults.scene import PATIENCE_SECONDS, Scene

_BLOCK = bytes(2**16)


class NotAllowed(Exception):
    """This machine does not let the tests do what they would have to."""


@contextmanager
def locked(scene: Scene) -> Iterator[None]:
    """Hold the database as another program may."""
    with closing(sqlite3.connect(scene.database, isolation_level=None)) as database:
        until(lambda: _takes_lock(database), PATIENCE_SECONDS)
        _is_felt(scene)
        yield


def _is_felt(scene: Scene) -> None:
    """Wait until the engine says that its database takes no writes."""
    until(lambda: scene.served.client.status().journal != "ok", PATIENCE_SECONDS)


def _takes_lock(database: sqlite3.Connection) -> bool:
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Give a folder on a disk of its own, in memory.

    Raises:
        NotAllowed: nobody may mount anything here.
    """
    with tempfile.TemporaryDirectory(prefix="md-") as folder:
        mounted = _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder)
        if mounted.returncode != 0:
            raise NotAllowed(f"no disk can be mounted here: {mounted.stderr.strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True, timeout=60)


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, text=True, timeout=60)
    except FileNotFoundError as error:
        raise NotAllowed(str(error)) from error


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Let a disk that nobody writes to at the moment take no writes."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, timeout=60)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True, timeout=60)


@contextmanager
def full_disk(scene: Scene) -> Iterator[None]:
    """Fill the disk on which the home folder is, to the last byte."""
    filler = scene.home.path / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        _fill(descriptor, len(_BLOCK))
        _is_felt(scene)
        yield
    finally:
        os.close(descriptor)
        filler.unlink()


def _fill(descriptor: int, size: int) -> None:
    while size:
        try:
            os.write(descriptor, _BLOCK[:size])
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            size //= 2


@contextmanager
def no_descriptors(scene: Scene) -> Iterator[None]:
    """Let the kernel refuse the engine every new file, socket and pipe."""
    pid = scene.served.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # The limit is on numbers: below it stands what is open now, and nothing else.
    lowest = min(set(range(before[0])) - {int(name) for name in os.listdir(f"/proc/{pid}/fd")})
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, before[1]))
    told = _times_refused(scene)
    try:
        with ExitStack() as callers:
            # What the engine closes it may open again: callers who say nothing take that up.
            until(lambda: _calls(scene, callers) and _times_refused(scene) > told, PATIENCE_SECONDS)
            yield
    finally:
        if scene.served.process.poll() is None:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def _times_refused(scene: Scene) -> int:
    return scene.served.complaints.count("out of system resource")


def _calls(scene: Scene, callers: ExitStack) -> bool:
    caller = callers.enter_context(socket.socket(socket.AF_UNIX))
    caller.settimeout(PATIENCE_SECONDS)
    with suppress(BlockingIOError):
        caller.connect(str(socket_in(scene.home.path)))
    return True


@contextmanager
def no_descriptors_and_no_workers(scene: Scene) -> Iterator[None]:
    """The same, while the workers die and new ones are needed."""
    with no_descriptors(scene):
        for one in scene.served.workers():
            with suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
        yield


@contextmanager
def frozen(find: Callable[[], Sequence[int]]) -> Iterator[None]:
    """Stop processes, and let them go on in the end, those that are still there."""
    pids = find()
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def frozen_engine(scene: Scene) -> Iterator[None]:
    """Stop the engine."""
    with frozen(lambda: [scene.served.process.pid]):
        yield


@contextmanager
def frozen_zygote(scene: Scene) -> Iterator[None]:
    """Stop the process from which workers are made."""
    with frozen(lambda: [one.pid for one in zygotes(scene)]):
        yield


@contextmanager
def frozen_workers(scene: Scene) -> Iterator[None]:
    """Stop all workers that there are."""
    with frozen(lambda: [one.pid for one in scene.served.workers()]):
        yield
