"""On what was measured, in one line."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time

WRITES = 200


def machine() -> str:
    """Return cores, kernel, versions, and how long the disk takes to keep 4 kB."""
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    return (
        f"{cores} cores, {platform.system()} {platform.release()} {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"fdatasync {sync_ms():.2f} ms, load before {load:.1f}"
    )


def sync_ms() -> float:
    """Return the median time of a small write that is durable, where temporary files lie."""
    with tempfile.TemporaryFile(prefix="moontide-bench-", buffering=0) as file:
        times = sorted(_sync(file.fileno()) for _ in range(WRITES))
    return times[WRITES // 2] * 1000


def _sync(descriptor: int) -> float:
    began = time.perf_counter()
    os.pwrite(descriptor, bytes(4096), 0)
    os.fdatasync(descriptor)
    return time.perf_counter() - began
