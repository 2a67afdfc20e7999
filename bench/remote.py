"""Runs carried to workers: runs per second and their cost, how soon one starts, what an idle worker costs.

The engine lives in this process, each worker is a `moontide worker` of its own, and all are on this machine
with the PostgreSQL server of `BENCH_PG_URL` (`postgresql+psycopg://user@host:port/database`), by default the
one on port 5432. A database of its own is made there, and dropped in the end. Without a server there are no
figures.
"""

from __future__ import annotations

import asyncio
import os
import resource
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from bench.driver import Driver
from bench.figures import Effort, Figure
from bench.homes import MOONTIDE, engine_in, home_with, job_text, own_jobs
from bench.latency import REST_SECONDS
from bench.processes import cpu_seconds, family_of
from engine.events import Event, RunStarted
from engine.service import Engine

URL = os.environ.get("BENCH_PG_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
WORKERS = (1, 2, 4)
SLOTS = 10
WARM_UP_SECONDS = 2.0
#: The server tells of what an idle connection did after a while.
SETTLE_SECONDS = 12.0


def measure(effort: Effort) -> list[Figure]:
    """Return runs per second with workers, processor time of a run, start latency, and the cost at rest."""
    try:
        with empty_database() as url:
            speeds = [figure for count in WORKERS for figure in asyncio.run(_speed(url, count, effort))]
            return [*speeds, *asyncio.run(_latency(url, effort)), *asyncio.run(_rest(url, effort))]
    except OperationalError as error:
        print(f"remote: no PostgreSQL server, no figures ({type(error).__name__})", file=sys.stderr)
        return []


@contextmanager
def empty_database() -> Iterator[str]:
    """Give the URL of an empty database."""
    name = f"moontide_bench_{secrets.token_hex(4)}"
    _do(f"CREATE DATABASE {name}")
    try:
        yield make_url(URL).set(database=name).render_as_string(hide_password=False)
    finally:
        _do(f"DROP DATABASE {name} WITH (FORCE)")


def _do(statement: str) -> None:
    engine = create_engine(URL, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))


@contextmanager
def _workers(url: str, count: int) -> Iterator[list[int]]:
    """Start workers, and give their process ids once they take runs."""
    with ExitStack() as parts:
        yield [parts.enter_context(_worker(url, f"worker{number}")) for number in range(count)]


@contextmanager
def _worker(url: str, name: str) -> Iterator[int]:
    with home_with({}, _settings(url)) as home:
        command = [MOONTIDE, "--home", str(home), "worker", "--name", name, "--slots", str(SLOTS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            try:
                if b"takes runs" not in process.stdout.readline():
                    raise RuntimeError(f"{name} did not start")
                yield process.pid
            finally:
                process.send_signal(signal.SIGTERM)


def _settings(url: str) -> str:
    return f'database = "{url}"\nexecutor = "pgqueuer"\npool.size = 0\n'


async def _speed(url: str, count: int, effort: Effort) -> list[Figure]:
    jobs = {f"job{number}": job_text() for number in range(count * SLOTS)}
    rates: list[float] = []
    kinds: tuple[list[float], ...] = ([], [], [])
    with home_with(jobs, _settings(url)) as home:
        async with engine_in(home) as engine:
            with _workers(url, count) as workers:
                driver = Driver(engine, own_jobs(engine))
                driver.start()
                await asyncio.sleep(WARM_UP_SECONDS)
                for _ in range(effort.rounds):
                    before, runs = _used(workers), driver.committed
                    rates.append(await driver.rate(effort.seconds))
                    made = driver.committed - runs
                    costs = [1000 * (b - a) / made for a, b in zip(before, _used(workers), strict=True)]
                    for kept, cost in zip(kinds, costs, strict=True):
                        kept.append(cost)
                await driver.stop()
    if driver.failed:
        raise RuntimeError(f"{driver.failed} of {driver.committed} runs failed")
    name = f"{count} worker{'s' if count > 1 else ''}"
    return [
        Figure(f"runs on {name}", "runs/s", rates, ">= 1,000" if count == WORKERS[-1] else ""),
        *(
            Figure(f"a run on {name}, in the {place}", "ms CPU", kept)
            for place, kept in zip(("engine", "workers", "server"), kinds, strict=True)
        ),
    ]


def _used(workers: list[int]) -> tuple[float, float, float]:
    """Return the processor time of this process, of the workers with theirs, and of the server."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    theirs = sum(cpu_seconds(pid) for worker in workers for pid in family_of(worker).all)
    return own.ru_utime + own.ru_stime, theirs, _server_seconds()


def _server_seconds() -> float:
    used = 0.0
    for command in Path("/proc").glob("[0-9]*/comm"):
        try:
            if command.read_text().strip() == "postgres":
                used += cpu_seconds(int(command.parent.name))
        except OSError:
            continue
    return used


async def _latency(url: str, effort: Effort) -> list[Figure]:
    with home_with({"job": job_text()}, _settings(url)) as home:
        async with engine_in(home) as engine:
            with _workers(url, 1):
                await _starts(engine, 10)
                rounds = [sorted(await _starts(engine, effort.samples)) for _ in range(effort.rounds)]
    return [
        Figure("start on a worker, p50", "ms", [_part(one, 0.5) for one in rounds], "< 15"),
        Figure("start on a worker, p95", "ms", [_part(one, 0.95) for one in rounds], "< 40"),
    ]


def _part(ordered: list[float], part: float) -> float:
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


async def _starts(engine: Engine, count: int) -> list[float]:
    return [await _one_start(engine) for _ in range(count)]


async def _one_start(engine: Engine) -> float:
    """Return how long after it was asked for a run is known to go on."""
    await asyncio.sleep(REST_SECONDS)
    started: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def heard(event: Event) -> None:
        if isinstance(event, RunStarted):
            started.set_result(time.perf_counter())

    unsubscribe = engine.events.subscribe(heard)
    began = time.perf_counter()
    try:
        await engine.dispatcher.submit(engine.catalog.job("job"))
        return (await started - began) * 1000
    finally:
        unsubscribe()


async def _rest(url: str, effort: Effort) -> list[Figure]:
    with home_with({}, _settings(url)) as home:
        async with engine_in(home):
            without = [await _transactions(url, effort.idle_seconds) for _ in range(effort.rounds)]
            with _workers(url, 1) as [worker]:
                shares, counts = [], []
                for _ in range(effort.rounds):
                    before = sum(map(cpu_seconds, family_of(worker).all))
                    began = time.monotonic()
                    counts.append(await _transactions(url, effort.idle_seconds))
                    used = sum(map(cpu_seconds, family_of(worker).all)) - before
                    shares.append(100 * used / (time.monotonic() - began))
    more = [one - min(without) for one in counts]
    return [
        Figure("an idle worker", "% of a core", shares, "< 0.5"),
        Figure("an idle worker, 12 heartbeats among them", "transactions/min", more, "<= 17"),
    ]


async def _transactions(url: str, seconds: float) -> float:
    """Return how many transactions a minute the server counts, without those that ask it."""
    before, began = _committed(url), time.monotonic()
    await asyncio.sleep(SETTLE_SECONDS + seconds)
    return 60 * (_committed(url) - before) / (time.monotonic() - began)


def _committed(url: str) -> int:
    name = make_url(url).database
    engine = create_engine(URL, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        counted = text("SELECT xact_commit FROM pg_stat_database WHERE datname = :name")
        return int(connection.scalar(counted, {"name": name}) or 0)
