"""As cron does it: a process for each run, and somebody who writes down that it started and how it ended."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from compete import AT_ONCE, PLACE, Peer, one_by_one

DATABASE = PLACE / "runs.db"
TASK = PLACE / "task.lua"

_own = threading.local()


@contextmanager
def compete() -> Iterator[Peer]:
    """Give threads that each start a process and wait for it."""
    TASK.write_text("os.exit(0)\n", "utf-8")
    _database().execute("create table run (id integer primary key, started text, ended text, code integer)")
    ended: list[Future[None]] = []
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield Peer(
            one_by_one(lambda: ended.append(threads.submit(_run))), lambda: sum(_done(one) for one in ended)
        )


def _run() -> None:
    database = _database()
    number = database.execute("insert into run (started) values (datetime('now'))").lastrowid
    code = subprocess.run(["lua5.4", str(TASK)], stdin=subprocess.DEVNULL).returncode
    database.execute("update run set ended = datetime('now'), code = ? where id = ?", (code, number))


def _done(future: Future[None]) -> bool:
    """Return whether a run has ended; one that could not be carried out is an error."""
    if not future.done():
        return False
    future.result()
    return True


def _database() -> sqlite3.Connection:
    """Return this thread's connection, on which each statement is a commit."""
    if not hasattr(_own, "database"):
        _own.database = sqlite3.connect(DATABASE, timeout=60, isolation_level=None)
        _own.database.execute("pragma journal_mode = wal")
        _own.database.execute("pragma synchronous = full")
    return _own.database
