"""The processes that render templates, started when they are needed and killed when one takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any

import msgspec

from moontide import CoreError
from moontide.quantities import format_duration
from plugins.rendering.parcels import LENGTH_BYTES, Answer, Request

FAILED = 810

#: Renderings at once; further ones wait.
MOST_PROCESSES = 2

#: A process that nobody needed for so long is ended.
IDLE_SECONDS = 60.0

_CHILD = "plugins.rendering.child"


class Renderers:
    """Renders templates in processes of their own."""

    def __init__(self, folder: Path, *, seconds: float, idle_seconds: float = IDLE_SECONDS) -> None:
        """Make the renderers; no process is started yet.

        Args:
            folder: where the templates are.
            seconds: for one rendering.
            idle_seconds: after this time without work a process is ended.
        """
        self._folder = folder
        self._seconds = seconds
        self._idle_seconds = idle_seconds
        self._free = asyncio.Semaphore(MOST_PROCESSES)
        self._idle: list[Process] = []
        self._ending: asyncio.TimerHandle | None = None
        self._ended: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> int:
        """Processes that wait for work."""
        return len(self._idle)

    async def render(self, name: str, values: dict[str, Any]) -> str:
        """Return a template's text with the values filled in.

        Raises:
            CoreError: it cannot be rendered, or took too long.
        """
        async with self._free:
            process = await self._take()
            try:
                answer = await self._answer(process, Request(name, values))
            except BaseException:
                await _end(process)
                raise
            self._give_back(process)
        if answer.text is None:
            raise CoreError(f"core.template.render: {answer.problem}", answer.code)
        return answer.text

    async def close(self) -> None:
        """End all processes."""
        self._keep_idle()
        self._end_idle()
        await asyncio.gather(*self._ended)

    async def _answer(self, process: Process, request: Request) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                return await _ask(process, request)
        except TimeoutError as error:
            problem = f"took longer than {format_duration(self._seconds)} (template.timeout)"
            raise CoreError(f"core.template.render: {request.name} {problem}", FAILED) from error
        except (OSError, EOFError) as error:
            problem = "took more time or memory than a template may have"
            raise CoreError(f"core.template.render: {request.name} {problem}", FAILED) from error

    async def _take(self) -> Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
        return await self._start()

    def _give_back(self, process: Process) -> None:
        self._idle.append(process)
        self._keep_idle()
        self._ending = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)

    def _keep_idle(self) -> None:
        if self._ending is not None:
            self._ending.cancel()

    def _end_idle(self) -> None:
        while self._idle:
            task = asyncio.get_running_loop().create_task(_end(self._idle.pop()))
            self._ended.add(task)
            task.add_done_callback(self._ended.discard)

    async def _start(self) -> Process:
        # Nothing of the engine's environment: it may hold secrets.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", _CHILD, str(self._folder), str(self._seconds)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={},
            cwd="/",
        )


async def _ask(process: Process, request: Request) -> Answer:
    assert process.stdin is not None
    assert process.stdout is not None
    data = msgspec.msgpack.encode(request)
    process.stdin.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)
    await process.stdin.drain()
    length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
    return msgspec.msgpack.decode(await process.stdout.readexactly(length), type=Answer)


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
