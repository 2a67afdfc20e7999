"""What this machine can do at all: the measures that other figures are divided by."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ADDITIONS = 1_000_000
COMMITS = 200
STARTS = 3


def loop_seconds() -> float:
    """Return the processor time of a loop of a million additions in Python."""
    began, total = time.process_time(), 0
    for number in range(ADDITIONS):
        total += number
    return time.process_time() - began


def commits_per_second() -> float:
    """Return how many rows SQLite can make durable in a second, each in a transaction of its own."""
    with tempfile.TemporaryDirectory(prefix="moontide-bench-") as folder:
        database = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = full")
        database.execute("create table row (id integer primary key, text text)")
        began = time.perf_counter()
        for _ in range(COMMITS):
            database.execute("insert into row (text) values ('x')")
        seconds = time.perf_counter() - began
        database.close()
    return COMMITS / seconds


def start_seconds(*command: str) -> float:
    """Return the least processor time that a command took, of a few; without words, Python doing nothing."""
    return min(_one_start(command or (sys.executable, "-c", "pass")) for _ in range(STARTS))


def _one_start(command: tuple[str, ...]) -> float:
    before = _children_seconds()
    # Without an engine some commands say so with an exit code of their own, which takes as long.
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return _children_seconds() - before


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
