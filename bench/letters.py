"""A mail of 16 MB: how long it takes to build and send, and how long the loop stood still.

The server is a process of its own: it must not take time from the loop that is measured.
"""

from __future__ import annotations

import asyncio
import time

from bench.figures import Effort, Figure
from bench.homes import engine_in, home_with, job_text, served_by
from bench.pauses import watched_loop
from engine.events import Event, RunFinished
from engine.service import Engine

#: What the mails hold, as Lua; with what is around it there is room for 16 MB.
CONTENTS = {
    "a file": 'msg:attach("a.bin", (("x"):rep(255) .. "\\255"):rep(2^16 - 64))',
    "text": 'msg:text(("Grüße an alle, die hier lesen.\\n"):rep(500000))',
}

_SETTINGS = '[email]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\n'

_LINES = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


def measure(effort: Effort) -> list[Figure]:
    """Return the time for one mail of each kind, and the longest pause of the loop meanwhile."""
    figures = []
    for name, rounds in asyncio.run(_rounds(effort.rounds)).items():
        figures += [
            Figure(f"a mail with 16 MB of {name}", "s", [seconds for seconds, _ in rounds]),
            Figure(
                "longest pause of the loop meanwhile", "ms", [1000 * pause for _, pause in rounds], "< 20"
            ),
        ]
    return figures


async def _rounds(count: int) -> dict[str, list[tuple[float, float]]]:
    head = 'local msg = core.email.new():from("a@x.example"):to("b@x.example")'
    jobs = {
        name.replace(" ", "_"): job_text(f"{head}\n  {content}\n  assert(msg:send())\n  return job.OK")
        for name, content in CONTENTS.items()
    }
    with served_by("bench.letters") as port, home_with(jobs, _SETTINGS.format(port=port)) as home:
        async with engine_in(home) as engine:
            return {
                name: [await _round(engine, job) for _ in range(count)]
                for name, job in zip(CONTENTS, jobs, strict=True)
            }


async def _round(engine: Engine, job: str) -> tuple[float, float]:
    ended: asyncio.Future[RunFinished] = asyncio.get_running_loop().create_future()

    def heard(event: Event) -> None:
        if isinstance(event, RunFinished) and not ended.done():
            ended.set_result(event)

    unsubscribe = engine.events.subscribe(heard)
    try:
        async with watched_loop() as pauses:
            began = time.perf_counter()
            await engine.dispatcher.submit(engine.catalog.job(job))
            event = await ended
            seconds = time.perf_counter() - began
    finally:
        unsubscribe()
    if event.status != "COMPLETE":
        raise RuntimeError(f"{job}: {event.error}")
    return seconds, max(pauses)


async def _serve() -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            writer.write(_LINES.get(line[:4], b"250 OK\r\n"))
            if line.startswith(b"DATA"):
                while await reader.readline() != b".\r\n":
                    pass
                writer.write(b"250 taken\r\n")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
