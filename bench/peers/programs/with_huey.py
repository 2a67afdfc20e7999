"""Huey with SQLite, whose commits are synced, and whose results are kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from compete import AT_ONCE, PLACE, Peer, one_by_one, workers
from huey import SqliteHuey

huey = SqliteHuey("peers", filename=str(PLACE / "huey.db"), fsync=True, store_none=True, timeout=60)


@huey.task()
def task() -> None:
    """Do nothing."""


@contextmanager
def compete() -> Iterator[Peer]:
    """Give a consumer with threads; what has ended has left a result."""
    consumer = [sys.executable, "-m", "huey.bin.huey_consumer", "with_huey.huey"]
    with workers([*consumer, "-w", str(AT_ONCE), "-k", "thread"]):
        yield Peer(one_by_one(task), huey.storage.result_store_size)
