"""What core.mysql costs: selectOne in a job, and the same statement by the bare driver.

The bare driver is asked twice over: as most programs use it, with a cursor for each statement and the
statement as text; and with a statement that was prepared once. Short turns of all follow each other, so that
another program's load meets them alike, and each round's selectOne is also told as a multiple of the bare
driver's time in it.

Needs a server: that of `BENCH_MYSQL_URL` (`mysql://user:password@host:port/database`), by default the
one on port 3306 of this machine with its database `test`. Without one there are no figures.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncmy
from asyncmy.errors import MySQLError

from bench.figures import Effort, Figure
from engine.extensions.plugins import load_plugins
from engine.extensions.runlog import RunLog
from engine.parts import make_job_files, make_pool, make_runner
from engine.run import Outcome, RunRequest
from engine.runs.runner import Runner
from engine.settings import load_settings
from engine.states import RunStatus, Trigger
from engine.store.database import open_database
from engine.store.documents import StoredDocuments
from engine.store.journal import Journal
from engine.times.clock import SystemClock

URL = os.environ.get("BENCH_MYSQL_URL", "mysql://root@127.0.0.1:3306/test")
TABLE = "moontide_bench"

#: Turns of each round, and calls in one turn.
TURNS = 10

SELECT = f'core.mysql.selectOne("bench", {{ tbl = "{TABLE}", where = {{ id = 2 }} }})'
NOTHING = 'core.mysql.escape("kite")'

PREPARE = (
    f"DROP TABLE IF EXISTS {TABLE}",
    f"CREATE TABLE {TABLE} (id INT PRIMARY KEY, name VARCHAR(50), stock INT)",
    f"INSERT INTO {TABLE} VALUES (1, 'ball', 5), (2, 'kite', 0)",
)

JOB = """
local job = core.job()
function job.run(run)
  for _ = 1, run.data.calls do
    assert(CALL)
  end
  return job.OK
end
return job
"""


def measure(effort: Effort) -> list[Figure]:
    """Return the time of one selectOne, and of the same statement without Moontide."""
    return asyncio.run(_measure(effort))


async def _measure(effort: Effort) -> list[Figure]:
    parts = urlsplit(URL)
    try:
        connection = await asyncmy.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=parts.username,
            password=parts.password or "",
            database=parts.path.strip("/"),
            autocommit=True,
        )
    except (MySQLError, OSError) as error:
        print(f"databases: no MySQL server, no figures ({type(error).__name__})", file=sys.stderr)
        return []
    try:
        return await _compared(connection, effort)
    finally:
        async with connection.cursor() as cursor:
            await cursor.execute(f"DROP TABLE {TABLE}")
        await connection.ensure_closed()


async def _compared(connection: asyncmy.Connection, effort: Effort) -> list[Figure]:
    async with connection.cursor() as cursor:
        for statement in PREPARE:
            await cursor.execute(statement)
    with tempfile.TemporaryDirectory(prefix="moontide-bench-") as folder:
        async with _runner_in(Path(folder), effort.samples) as runner:
            rounds = [await _round(connection, runner, effort.samples) for _ in range(effort.rounds)]
    called, nothing, bare, prepared = zip(*rounds, strict=True)
    times = [ours / theirs for ours, theirs in zip(called, bare, strict=True)]
    return [
        Figure("core.mysql.selectOne in a job", "ms", called),
        Figure("a core call in a job that asks no server", "ms", nothing),
        Figure("the same statement by the bare driver", "ms", bare),
        Figure("the same by the bare driver, prepared", "ms", prepared),
        Figure("selectOne, times the bare driver", "x", times, "< 2"),
    ]


async def _round(connection: asyncmy.Connection, runner: Runner, calls: int) -> tuple[float, ...]:
    """Return the milliseconds of each kind, the median of some turns."""
    turns = [
        (
            await _run(runner, SELECT, calls) / calls * 1000,
            await _run(runner, NOTHING, calls) / calls * 1000,
            await _bare(connection, calls),
            await _prepared(connection, calls),
        )
        for _ in range(TURNS)
    ]
    return tuple(statistics.median(kind) for kind in zip(*turns, strict=True))


async def _bare(connection: asyncmy.Connection, calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        async with connection.cursor() as cursor:
            await cursor.execute(f"SELECT * FROM `{TABLE}` WHERE `id`=%s LIMIT 1", (2,))
            await cursor.fetchall()
    return (time.perf_counter() - began) / calls * 1000


async def _prepared(connection: asyncmy.Connection, calls: int) -> float:
    text = f"SELECT * FROM `{TABLE}` WHERE `id`=? LIMIT 1"
    statement = await connection.prepare(text)  # type: ignore[no-untyped-call]
    began = time.perf_counter()
    for _ in range(calls):
        assert len((await statement.execute((2,))).rows) == 1
    taken = time.perf_counter() - began
    await statement.close()
    return taken / calls * 1000


@asynccontextmanager
async def _runner_in(home: Path, calls: int) -> AsyncIterator[Runner]:
    """Give what carries out runs, as in an engine, after a first run of each kind."""
    (home / "moontide.toml").write_text(
        f'[mysql.bench]\nurl = "{URL}"\n[limits]\ncalls = {calls + 1}\n', "utf-8"
    )
    settings, plugins, clock = load_settings(home), load_plugins(), SystemClock()
    pool = make_pool(settings, plugins)
    database = open_database("sqlite://")
    journal = Journal(database.writer, clock=clock, on_stalled=lambda *_: None, on_recovered=lambda _: None)
    documents = StoredDocuments(journal, database.reader, clock=clock)
    async with AsyncExitStack() as parts:
        parts.callback(database.close)
        await pool.start()
        parts.push_async_callback(pool.stop)
        files = make_job_files(home, pool, settings)
        runner = await make_runner(pool, plugins, documents, files, settings, parts, home=home)
        for what in (SELECT, NOTHING):
            await _run(runner, what, calls)
        yield runner


async def _run(runner: Runner, what: str, calls: int) -> float:
    request = RunRequest(
        run_id=1,
        job="bench",
        source=JOB.replace("CALL", what).encode(),
        source_hash="",
        trigger=Trigger.MANUAL,
        due=SystemClock().now(),
        data={"calls": calls},
    )
    log = RunLog(limits=request.limits, clock=SystemClock(), keep=lambda _: None)
    began = time.perf_counter()
    outcome: Outcome = await runner.run(request, log=log)
    if outcome.status is not RunStatus.COMPLETE:
        raise RuntimeError(f"the job ended as {outcome.status}: {outcome.error}")
    return time.perf_counter() - began
