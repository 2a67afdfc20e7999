"""The pool of sandboxed workers: runs job files and reads their settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

from engine.calls.core import ModuleManifest
from engine.errors import JobFileError, SandboxError, WireError
from engine.run import Limits
from engine.sandbox import wire, words
from engine.sandbox.answers import BROKEN_PROTOCOL, read_declared, read_done
from engine.sandbox.channel import WorkerChannel
from engine.sandbox.conversation import Allowance, Conversation, Stop
from engine.sandbox.large import MAX_HELD_BYTES, LargeCalls
from engine.sandbox.program import Declaration, Ending, EndKind, Host, Program
from engine.sandbox.readytasks import ReadyTasks
from engine.sandbox.supply import WorkerSupply
from engine.sandbox.values import encode_value
from engine.sandbox.zones import transitions

#: Limits of reading a file's settings.
DECLARE_CPU_SECONDS = 0.5
DECLARE_WALL_SECONDS = 1.0
DECLARE_MEMORY_BYTES = 16 * 2**20
_DECLARE_CALLS = 1000

MAX_SOURCE_BYTES = 256 * 2**10

#: A worker whose run used more is not kept: its heap would stay that large.
_KEEP_MEMORY_BYTES = 24 * 2**20

#: The interpreter and the prelude need this much.
_LEAST_MEMORY_BYTES = 2**20

_REAP_SECONDS = 5.0

_WORK_BELONGS = "outside of job.run(): work belongs inside job.run()"
_DECLARE_ALLOWANCE = Allowance(
    wall_seconds=DECLARE_WALL_SECONDS,
    wall_words=f"stopped after {words.duration(DECLARE_WALL_SECONDS)} {_WORK_BELONGS}",
    cpu_words=f"stopped after {words.duration(DECLARE_CPU_SECONDS)} of CPU time {_WORK_BELONGS}",
    memory_words=f"stopped: used more than {words.size(DECLARE_MEMORY_BYTES)} of memory {_WORK_BELONGS}",
    calls=_DECLARE_CALLS,
    notify_bytes=0,
)


class WorkerPool:
    """Runs programs in hardened worker processes, each in a fresh Lua state."""

    def __init__(
        self,
        *,
        modules: Sequence[ModuleManifest],
        warm: int = 2,
        max_runs: int = 200,
        idle_seconds: float = 60.0,
        memory_ceiling_bytes: int,
        cpu_ceiling_seconds: float,
        allow_missing: frozenset[str] = frozenset(),
        large_bytes: int = MAX_HELD_BYTES,
        on_replaced: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare a pool; nothing runs before `start`.

        Args:
            modules: the core modules that jobs see.
            warm: workers kept ready beyond those that are busy.
            max_runs: runs after which a worker is replaced.
            idle_seconds: idle time after which a used worker is replaced.
            memory_ceiling_bytes: no run gets more memory.
            cpu_ceiling_seconds: no run gets more processor time; a worker that has used it up is replaced.
            allow_missing: names of walls that the operator can do without.
            large_bytes: what arguments above 1 MB may have together, in all runs.
            on_replaced: called with the reason after the zygote died and another one took its place.
        """
        self._memory_ceiling_bytes = memory_ceiling_bytes
        self._cpu_ceiling_seconds = cpu_ceiling_seconds
        setup = wire.Setup(
            modules=[
                wire.Manifest(m.name, list(m.functions), list(m.one_way), m.facade, list(m.large))
                for m in modules
            ],
            memory_ceiling_bytes=memory_ceiling_bytes,
            cpu_ceiling_seconds=cpu_ceiling_seconds,
        )
        methods = frozenset(f"{module.name}.{name}" for module in modules for name in module.large)
        self.large = LargeCalls(methods, most_bytes=large_bytes)
        self._tasks = ReadyTasks()
        self._supply = WorkerSupply(
            setup,
            warm=warm,
            max_runs=max_runs,
            idle_seconds=idle_seconds,
            allow_missing=allow_missing,
            on_replaced=on_replaced,
        )

    @property
    def walls(self) -> dict[str, str]:
        """Each wall's name with "on" or "missing: why"; empty before the start."""
        return dict(self._supply.walls)

    @property
    def workers(self) -> int:
        """Worker processes alive now."""
        return self._supply.workers

    @property
    def zygote_pid(self) -> int | None:
        """The process that the workers are forked from, while there is one."""
        return self._supply.zygote_pid

    async def start(self) -> None:
        """Start the zygote and the first workers, and check the walls.

        Raises:
            MissingWall: the kernel lacks a wall that `allow_missing` does not name.
            PluginError: a core module's Lua facade is no good.
            SandboxError: the processes do not start.
        """
        await self._supply.start()

    async def stop(self) -> None:
        """Kill all workers and the zygote, and wait until nothing of them is left."""
        self._tasks.close()
        await self._supply.stop()

    async def run(self, program: Program, host: Host, cancel: asyncio.Future[str] | None = None) -> Ending:
        """Run a job file and return how it ended; nothing that a job does makes this raise.

        Args:
            program: what to run.
            host: answers its core calls.
            cancel: when it gets a result (a reason, for people), the run is killed. Cancelling the calling
                task kills the run as well.
        """
        try:
            opening = self._opening(program)
        except JobFileError as error:
            return Ending(EndKind.LUA_ERROR, error=f"{program.name}: {error}")
        try:
            worker = await self._supply.take()
        except SandboxError as error:
            return Ending(EndKind.LOST, error=f"no worker could be had: {error}")
        return await self._run_in(worker, program, opening, host, cancel)

    async def declare(self, name: str, source: bytes, host: Host) -> Declaration:
        """Load a job file without calling `run` and return the settings it declares.

        Limited to 0.5 s of CPU time, 1 s in all and 16 MB.

        Args:
            name: the file, as messages show it.
            source: its text.
            host: answers `require`.
        """
        try:
            _check_source(source)
            worker = await self._supply.take()
        except (JobFileError, SandboxError) as error:
            return Declaration(None, f"{name}: {error}")
        opening = wire.Declare(
            name=name,
            source=source,
            memory_bytes=DECLARE_MEMORY_BYTES,
            cpu_seconds=DECLARE_CPU_SECONDS,
            calls=_DECLARE_CALLS,
        )
        end = await Conversation(worker, host, _DECLARE_ALLOWANCE, self._tasks).hold(opening, None)
        return self._declaration(worker, name, end)

    def _opening(self, program: Program) -> wire.Run:
        _check_source(program.source)
        limits = program.limits
        return wire.Run(
            name=program.name,
            source=program.source,
            context=_encode_context(program),
            zone=_encode_zone(program),
            memory_bytes=max(min(limits.memory_bytes, self._memory_ceiling_bytes), _LEAST_MEMORY_BYTES),
            cpu_seconds=min(limits.cpu_seconds, self._cpu_ceiling_seconds),
            calls=limits.calls,
            log_bytes=limits.log_bytes,
            log_line_bytes=limits.log_line_bytes,
        )

    async def _run_in(
        self,
        worker: WorkerChannel,
        program: Program,
        opening: wire.Run,
        host: Host,
        cancel: asyncio.Future[str] | None,
    ) -> Ending:
        allowance = _allowance(
            program.limits, cpu_seconds=opening.cpu_seconds, memory_bytes=opening.memory_bytes
        )
        started = time.monotonic()
        end = await Conversation(worker, host, allowance, self._tasks, self.large).hold(opening, cancel)
        seconds = time.monotonic() - started
        if isinstance(end, Stop):
            return await self._stopped(worker, end, seconds)
        try:
            ending = _read_end(end, program, allowance, seconds)
        except WireError:
            return await self._stopped(worker, Stop(EndKind.CRASHED, BROKEN_PROTOCOL), seconds)
        worker.cpu_seconds += ending.cpu_seconds or 0.0
        if ending.kind is EndKind.MEMORY or (ending.peak_memory_bytes or 0) > _KEEP_MEMORY_BYTES:
            worker.kill()
        self._supply.give_back(worker)
        return ending

    async def _stopped(self, worker: WorkerChannel, stop: Stop, seconds: float) -> Ending:
        worker.kill()
        self._supply.give_back(worker)
        await asyncio.wait([worker.exited], timeout=_REAP_SECONDS)
        report = worker.exited.result() if worker.exited.done() else None
        return Ending(
            stop.kind,
            error=stop.error,
            duration_seconds=seconds,
            cpu_seconds=None if report is None else max(report.cpu_seconds - worker.cpu_seconds, 0.0),
            peak_memory_bytes=None if report is None else report.peak_memory_bytes,
        )

    def _declaration(
        self, worker: WorkerChannel, name: str, end: wire.Done | wire.Declared | Stop
    ) -> Declaration:
        try:
            if isinstance(end, Stop):
                worker.kill()
                interrupted = end.kind in (EndKind.WALL, EndKind.CRASHED, EndKind.LOST)
                return Declaration(None, f"{name}: {end.error}", interrupted=interrupted)
            if not isinstance(end, wire.Declared):
                raise WireError("an answer to another question")
            worker.cpu_seconds += end.cpu_seconds
            return read_declared(name, end)
        except WireError:
            worker.kill()
            return Declaration(None, f"{name}: {BROKEN_PROTOCOL}")
        finally:
            self._supply.give_back(worker)


def _read_end(
    end: wire.Done | wire.Declared, program: Program, allowance: Allowance, seconds: float
) -> Ending:
    if not isinstance(end, wire.Done):
        raise WireError("an answer to another question")
    return read_done(
        end,
        result_bytes=program.limits.result_bytes,
        memory_words=allowance.memory_words,
        seconds=seconds,
    )


def _check_source(source: bytes) -> None:
    if len(source) > MAX_SOURCE_BYTES:
        raise JobFileError(f"the file is larger than {words.size(MAX_SOURCE_BYTES)}")


def _encode_context(program: Program) -> bytes:
    try:
        return encode_value(program.context)
    except WireError as error:
        raise JobFileError(f"the run's data cannot be given to the job: {error}") from error


def _encode_zone(program: Program) -> bytes:
    try:
        return encode_value(transitions(program.timezone, time.time(), program.limits.wall_seconds))
    except (KeyError, ValueError) as error:
        raise JobFileError(f"unknown time zone {program.timezone!r}") from error


# The same few limits hold for thousands of runs, and the words cost more than the rest.
@lru_cache(maxsize=256)
def _allowance(limits: Limits, *, cpu_seconds: float, memory_bytes: int) -> Allowance:
    wall = limits.wall_seconds
    return Allowance(
        wall_seconds=wall,
        wall_words=f"stopped after {words.duration(wall)}: the job's timeout",
        cpu_words=f"stopped after {words.duration(cpu_seconds)} of CPU time: the limit",
        memory_words=f"stopped: used more than {words.size(memory_bytes)} of memory: the limit",
        calls=limits.calls,
        notify_bytes=limits.log_bytes,
    )
