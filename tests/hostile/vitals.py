"""How an engine's process is: what a campaign of hostile jobs must leave as it was."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import Served
from tests.e2e.processes import PAUSE_SECONDS

#: Idle workers go after a second, connections to servers a little later; a busy machine needs longer.
_SETTLE_SECONDS = 60.0

#: Connections to databases and web servers that are kept open for the next run.
MOST_POOLED = 12

#: Processes that render templates are kept a minute for the next run.
MOST_RENDERERS = 2

#: What the engine's memory may grow by: caches, heaps of libraries that were used for the first time.
MOST_GROWTH_BYTES = 192 * 2**20


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at an engine.

    Attributes:
        descriptors: open sockets, pipes and handles of processes; files are not counted, since readers of the
            database come and go.
        workers: processes that execute Lua.
        others: further processes that the engine started.
    """

    pid: int
    memory_bytes: int
    descriptors: int
    workers: int
    others: int


def take(served: Served) -> Vitals:
    """Return how the engine is at this moment."""
    pid = served.process.pid
    workers = {one.pid for one in served.workers()}
    family = {one.pid for one in served.family() if one.alive}
    return Vitals(
        pid=served.client.status().pid,
        memory_bytes=_memory(pid),
        descriptors=_lines(pid),
        workers=len(workers),
        others=len(family - workers),
    )


def settle(served: Served, warm: int) -> Vitals:
    """Return how the engine is once it has come to rest: with its warm workers and no more.

    It is a wait with an end: what is not at rest by then is shown as it is.
    """
    deadline = time.monotonic() + _SETTLE_SECONDS
    steady = seen = take(served)
    since = time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS * 10)
        seen = take(served)
        if _shape(seen) != _shape(steady) or seen.workers != warm:
            steady, since = seen, time.monotonic()
        elif time.monotonic() - since > 2:
            break
    return seen


def _shape(vitals: Vitals) -> tuple[int, int, int]:
    return vitals.descriptors, vitals.workers, vitals.others


def harm(before: Vitals, after: Vitals) -> list[str]:
    """Return what a campaign did to the engine; nothing if it is as it was."""
    found = []
    if after.pid != before.pid:
        found.append(f"another engine answers: process {after.pid}, not {before.pid}")
    if after.memory_bytes - before.memory_bytes > MOST_GROWTH_BYTES:
        found.append(f"the engine's memory grew from {before.memory_bytes} to {after.memory_bytes} bytes")
    if after.descriptors - before.descriptors > MOST_POOLED:
        found.append(
            f"the engine's open sockets and handles grew from {before.descriptors} to {after.descriptors}"
        )
    if after.workers > before.workers or after.others > before.others + MOST_RENDERERS:
        found.append(
            f"{after.workers} workers and {after.others} other processes are left, "
            f"of {before.workers} and {before.others}"
        )
    return found


def _memory(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _lines(pid: int) -> int:
    folder = f"/proc/{pid}/fd"
    return sum(
        _kind_of(f"{folder}/{name}") in ("socket", "pipe", "anon_inode") for name in os.listdir(folder)
    )


def _kind_of(descriptor: str) -> str:
    try:
        return os.readlink(descriptor).partition(":")[0]
    except FileNotFoundError:
        return ""
