"""PgQueuer on PostgreSQL, through psycopg."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from compete import AT_ONCE, Peer, one_by_one, workers
from pgqueuer import Job, PgQueuer, PsycopgDriver, Queries

URL = os.environ["PEER_PG"]
ENDED = "select count(*) from pgqueuer_log where status = 'successful'"


async def work() -> None:
    """Carry out runs until the process is ended."""
    queuer = PgQueuer.from_psycopg_connection(await psycopg.AsyncConnection.connect(URL, autocommit=True))

    @queuer.entrypoint("task")
    async def task(job: Job) -> None:
        """Do nothing."""

    await queuer.run(batch_size=AT_ONCE // 2, max_concurrent_tasks=AT_ONCE)


@contextmanager
def compete() -> Iterator[Peer]:
    """Give a worker; what has ended says so in the log table."""
    with asyncio.Runner() as runner, psycopg.connect(URL, autocommit=True) as database:
        connection = runner.run(psycopg.AsyncConnection.connect(URL, autocommit=True))
        queries = Queries(PsycopgDriver(connection))
        runner.run(queries.install())
        with workers(
            [sys.executable, "-c", "import asyncio, with_pgqueuer; asyncio.run(with_pgqueuer.work())"]
        ):
            yield Peer(
                one_by_one(lambda: runner.run(queries.enqueue("task", None))),
                lambda: database.execute(ENDED).fetchone()[0],
            )
        runner.run(connection.close())
