"""An executor whose runs a queue carries to workers, put together and opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from engine.extensions.executors import Executor, RunQueue
from engine.remote.answering import Answers
from engine.remote.carrier import RemoteExecutor
from engine.remote.observing import Observer
from engine.store.database import Database
from engine.store.journal import Journal
from engine.store.link import check_on_server
from engine.times.clock import Clock
from engine.version import VERSION


@asynccontextmanager
async def carried_by(
    queue: RunQueue,
    *,
    database: Database,
    journal: Journal,
    session: int,
    answers: Answers,
    clock: Clock,
    modules: Collection[str],
) -> AsyncIterator[Executor]:
    """Give the executor whose runs a queue carries to workers on other machines.

    Raises:
        StoreError: the database is none that they could reach.
    """
    url = database.writer.url
    check_on_server(url, "an executor with workers on other machines")
    executor = RemoteExecutor(
        queue=queue,
        url=url,
        journal=journal,
        session=session,
        answers=answers,
        observer=Observer(database.reader, clock),
        reader=database.reader,
        clock=clock,
        version=VERSION,
        modules=modules,
    )
    await executor.start()
    try:
        yield executor
    finally:
        await executor.stop()
