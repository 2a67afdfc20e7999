"""Procrastinate on PostgreSQL; its worker runs plain functions in threads."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from compete import AT_ONCE, Peer, one_by_one, workers
from procrastinate import App, PsycopgConnector

URL = os.environ["PEER_PG"]
ENDED = "select count(*) from procrastinate_jobs where status = 'succeeded'"

app = App(connector=PsycopgConnector(conninfo=URL))


@app.task(name="task")
def task() -> None:
    """Do nothing."""


@contextmanager
def compete() -> Iterator[Peer]:
    """Give a worker; what has ended says so in its row."""
    command = [sys.executable, "-m", "procrastinate", "-a", "with_procrastinate.app", "worker"]
    with app.open(), psycopg.connect(URL, autocommit=True) as database:
        app.schema_manager.apply_schema()
        with workers([*command, "--concurrency", str(AT_ONCE)]):
            yield Peer(one_by_one(task.defer), lambda: database.execute(ENDED).fetchone()[0])
