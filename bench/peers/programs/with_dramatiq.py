"""Dramatiq with Redis as broker, and as the place where results are kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq
from compete import Peer, one_by_one, workers
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend
from redis import Redis

URL = os.environ["PEER_REDIS"]

broker = RedisBroker(url=f"{URL}/0")
broker.add_middleware(Results(backend=RedisBackend(url=f"{URL}/1"), store_results=True))
dramatiq.set_broker(broker)


@dramatiq.actor
def task() -> str:
    """Do nothing."""
    return "done"


@contextmanager
def compete() -> Iterator[Peer]:
    """Give two processes with five threads each; what has ended has left a result."""
    results = Redis.from_url(f"{URL}/1")
    results.flushall()
    with workers([sys.executable, "-m", "dramatiq", "-p", "2", "-t", "5", "with_dramatiq"]):
        yield Peer(one_by_one(task.send), results.dbsize)
