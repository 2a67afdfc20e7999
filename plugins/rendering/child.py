"""The process that renders: no secrets, little memory, and nobody is hurt when it has to be killed.

It is started with the templates folder and the seconds for one rendering; requests come on standard input,
answers go to standard output, each with its length in front.
"""

from __future__ import annotations

import math
import resource
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from moontide.folders import ConfinedFolder
from plugins.rendering.parcels import LENGTH_BYTES, Answer, Request
from plugins.rendering.templates import PlainDataEnvironment, RenderError, render

#: Address space of the process; Python with Jinja itself takes some 100 MB of it.
MEMORY_BYTES = 512 * 2**20


def main(folder: str, seconds: float) -> None:
    """Answer requests until standard input ends."""
    _limit()
    environment = PlainDataEnvironment(ConfinedFolder(Path(folder)))
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    while (request := _receive(incoming)) is not None:
        _limit_cpu(seconds)
        data = msgspec.msgpack.encode(_answer(environment, request))
        outgoing.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)
        outgoing.flush()


def _answer(environment: PlainDataEnvironment, request: Request) -> Answer:
    try:
        return Answer(text=render(environment, request.name, request.values))
    except RenderError as error:
        return Answer(problem=str(error), code=error.code)


def _receive(incoming: BinaryIO) -> Request | None:
    header = incoming.read(LENGTH_BYTES)
    if len(header) < LENGTH_BYTES:
        return None
    return msgspec.msgpack.decode(incoming.read(int.from_bytes(header, "big")), type=Request)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_cpu(seconds: float) -> None:
    """End the process in a rendering without end, also where nobody is left to kill it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used + seconds) + 1, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
