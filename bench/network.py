"""A hundred runs that each wait 100 ms for a web server, ten at once, and how long the loop stood still.

The server is a process of its own: it must not take time from the loop that is measured.
"""

from __future__ import annotations

import asyncio
import time

from bench.figures import Effort, Figure
from bench.homes import engine_in, home_with, job_text, own_jobs, served_by
from bench.pauses import watched_loop
from engine.events import Event, RunFinished
from engine.service import Engine

RUNS = 100
AT_ONCE = 10
ANSWER_SECONDS = 0.1

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def measure(effort: Effort) -> list[Figure]:
    """Return the time for all runs, and the longest pause of the loop meanwhile."""
    rounds = asyncio.run(_rounds(effort.rounds))
    wanted = RUNS * ANSWER_SECONDS / AT_ONCE * 1000
    return [
        Figure(
            f"{RUNS} runs with a {ANSWER_SECONDS * 1000:g} ms call, {AT_ONCE} at once",
            "ms",
            [1000 * seconds for seconds, _ in rounds],
            f"about {wanted:,.0f}",
        ),
        Figure("longest pause of the loop meanwhile", "ms", [1000 * pause for _, pause in rounds], "< 20"),
    ]


async def _rounds(count: int) -> list[tuple[float, float]]:
    with served_by("bench.network") as port:
        body = f'assert(core.network.get("http://127.0.0.1:{port}/").status == 200) return job.OK'
        jobs = {f"job{number}": job_text(body) for number in range(RUNS)}
        toml = f'pool.size = {AT_ONCE}\n[network]\nallow = ["127.0.0.1"]\n'
        with home_with(jobs, toml) as home:
            async with engine_in(home) as engine:
                await _round(engine)
                return [await _round(engine) for _ in range(count)]


async def _round(engine: Engine) -> tuple[float, float]:
    ended: asyncio.Queue[str] = asyncio.Queue()

    def heard(event: Event) -> None:
        if isinstance(event, RunFinished):
            ended.put_nowait(event.status)

    unsubscribe = engine.events.subscribe(heard)
    async with watched_loop() as pauses:
        began = time.perf_counter()
        await asyncio.gather(*(engine.dispatcher.submit(job) for job in own_jobs(engine)))
        statuses = [await ended.get() for _ in range(RUNS)]
        seconds = time.perf_counter() - began
    unsubscribe()
    if set(statuses) != {"COMPLETE"}:
        raise RuntimeError(f"runs ended as {sorted(set(statuses))}")
    return seconds, max(pauses)


async def _serve() -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(ANSWER_SECONDS)
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
