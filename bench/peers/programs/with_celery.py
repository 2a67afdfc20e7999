"""Celery with Redis: acknowledged when a run has ended, with its start on record."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from celery import Celery
from compete import AT_ONCE, Peer, one_by_one, workers
from redis import Redis

URL = os.environ["PEER_REDIS"]

app = Celery("with_celery", broker=f"{URL}/0", backend=f"{URL}/1")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_track_started=True,
    worker_prefetch_multiplier=1,
)


@app.task
def task() -> None:
    """Do nothing."""


@contextmanager
def compete() -> Iterator[Peer]:
    """Give a worker with processes; what has ended has a result that says so."""
    queue, results = Redis.from_url(f"{URL}/0"), Redis.from_url(f"{URL}/1")
    queue.flushall()
    keys: list[str] = []
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "with_celery",
        "worker",
        "-c",
        str(AT_ONCE),
        "-l",
        "WARNING",
    ]

    def submit() -> None:
        keys.append(f"celery-task-meta-{task.delay().id}")

    def ended() -> int:
        # While some wait, the end is not near enough to look at each result.
        if not keys or queue.llen("celery"):
            return 0
        return sum(b'"SUCCESS"' in (value or b"") for value in results.mget(keys))

    with workers(command):
        yield Peer(one_by_one(submit), ended)
