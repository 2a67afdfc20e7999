"""Processes as /proc tells of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PAUSE_SECONDS = 0.02


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for a condition, and fail if it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(PAUSE_SECONDS)


@contextmanager
def hearing_hangups() -> Iterator[None]:
    """Let processes that start now heed SIGHUP, also where the tests themselves run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@dataclass(frozen=True, slots=True)
class Process:
    """One process; the time of its start tells it from a later one with the same number."""

    pid: int
    started: str
    command: str

    @property
    def alive(self) -> bool:
        """Whether it is there and more than an entry that its parent has yet to collect."""
        found = _stat(self.pid)
        return found is not None and found.started == self.started and found.state not in "ZX"


@dataclass(frozen=True, slots=True)
class _Stat:
    parent: int
    state: str
    started: str


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in brackets may hold blanks and brackets itself.
    fields = text.rpartition(")")[2].split()
    return _Stat(parent=int(fields[1]), state=fields[0], started=fields[19])


def descendants(pid: int) -> list[Process]:
    """Return the children of a process, their children, and so on; parents before children."""
    parents = {int(name): _stat(int(name)) for name in os.listdir("/proc") if name.isdigit()}
    family = [pid]
    for member in family:
        family += [child for child, stat in parents.items() if stat and stat.parent == member]
    return [_process(child, parents[child]) for child in family[1:]]


def _process(pid: int, stat: _Stat | None) -> Process:
    assert stat is not None
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        command = ""
    return Process(pid, stat.started, command)
