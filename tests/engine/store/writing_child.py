"""A process that writes runs as fast as it can, and prints each step once it is acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from functools import partial
from pathlib import Path

from engine.run import LogLine
from engine.states import RunStatus, Trigger
from engine.store.database import open_database
from engine.store.dialects import sqlite_url
from engine.store.journal import Journal
from engine.store.rows import JobPatch, RunEnd, RunRow, RunStart
from engine.store.schema import migrate
from engine.store.sessions import begin_session, next_run_id, recover
from engine.times.clock import SystemClock


async def main(path: Path) -> None:
    database = open_database(sqlite_url(path))
    migrate(database.writer)
    clock = SystemClock()
    journal = Journal(database.writer, clock=clock, on_stalled=print, on_recovered=print)
    journal.start()
    session = await journal.transact(
        partial(begin_session, pid=os.getpid(), host="here", version="0", now=clock.now())
    )
    for run_id in await journal.transact(partial(recover, session_id=session, now=clock.now())):
        say("recovered", run_id)
    ids = itertools.count(await journal.transact(next_run_id))
    await asyncio.gather(*(produce(journal, clock, session, ids) for _ in range(10)))


async def produce(journal: Journal, clock: SystemClock, session: int, ids: itertools.count[int]) -> None:
    for run_id in ids:
        now = clock.now()
        row = RunRow(run_id, "report", Trigger.SCHEDULE, now, now, session)
        await journal.run_created(row, JobPatch("report", {"last_run_id": run_id}))
        say("created", run_id)
        await journal.run_started(RunStart(run_id, clock.now()))
        say("started", run_id)
        journal.log_lines(run_id, [LogLine(1, now, "info", f"run {run_id}")])
        await journal.run_finished(run_id, RunEnd(RunStatus.COMPLETE, clock.now(), log_lines=1))
        say("finished", run_id)


def say(step: str, run_id: int) -> None:
    os.write(1, f"{step} {run_id}\n".encode())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
