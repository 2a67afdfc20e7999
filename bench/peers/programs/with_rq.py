"""RQ: workers that fork a process for each run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compete import AT_ONCE, Peer, one_by_one, workers
from redis import Redis
from rq import Queue

URL = os.environ["PEER_REDIS"]


def task() -> None:
    """Do nothing."""


@contextmanager
def compete() -> Iterator[Peer]:
    """Give a pool of workers; what has ended is in the registry of finished jobs."""
    redis = Redis.from_url(URL)
    redis.flushall()
    queue = Queue(connection=redis)
    finished = queue.finished_job_registry.key
    program = str(Path(sys.executable).with_name("rq"))
    with workers([program, "worker-pool", "--quiet", "-n", str(AT_ONCE), "-u", URL]):
        yield Peer(one_by_one(lambda: queue.enqueue(task)), lambda: redis.zcard(finished))
