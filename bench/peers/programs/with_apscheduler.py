"""APScheduler 3 with its job store in SQLite; each run is a job of its own that is due at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from compete import AT_ONCE, PLACE, Peer, one_by_one


def task() -> None:
    """Do nothing."""


@contextmanager
def compete() -> Iterator[Peer]:
    """Give a scheduler with threads; what has ended is known from its events alone."""
    scheduler = BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(f"sqlite:///{PLACE / 'jobs.db'}")},
        executors={"default": ThreadPoolExecutor(AT_ONCE)},
        job_defaults={"misfire_grace_time": None},
        timezone="UTC",
    )
    ended, failed = [], []
    scheduler.add_listener(ended.append, EVENT_JOB_EXECUTED)
    scheduler.add_listener(failed.append, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    numbers = count()
    scheduler.start()
    yield Peer(one_by_one(lambda: scheduler.add_job(task, id=str(next(numbers)))), lambda: len(ended))
    scheduler.shutdown()
    if failed:
        raise SystemExit(f"{len(failed)} runs failed: {failed[0]}")
