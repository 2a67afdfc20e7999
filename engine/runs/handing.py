"""Runs that are carried out elsewhere: handed over, they wait there, and start when somebody takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

import msgspec

from engine.extensions.executors import Handed, HandsOver, LeftRun
from engine.run import Beside, RunRequest
from engine.runs.job import Job, Source
from engine.runs.liverun import GivenTerms, LiveRun
from engine.runs.runrecords import RunRecords, settle
from engine.states import RunStatus, Trigger
from engine.times.clock import Clock


class Memory(msgspec.Struct, frozen=True):
    """What an engine has to know of a run that it takes up, besides its request."""

    queued: datetime
    rescheduled_from: int | None = None
    called_by: int | None = None
    crashes: int = 0
    first_trigger: Trigger | None = None
    given: GivenTerms | None = None


class Handing:
    """Hands runs over to an executor whose runs wait elsewhere, and takes up what an earlier engine left."""

    def __init__(
        self,
        executor: HandsOver,
        *,
        records: RunRecords,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Make it.

        Args:
            spawn: sees a run's step through in the background.
        """
        self._executor = executor
        self._records = records
        self._clock = clock
        self._spawn = spawn

    async def hand_over(self, run: LiveRun, request: RunRequest, source: Source) -> None:
        """Write a run as QUEUED together with what hands it over; it starts when somebody has taken it."""
        run.handed = self._handed(run, source)
        await self._records.handed_over(run, source, self._executor.hand_over(request, run.handed))
        run.seeing = asyncio.current_task()

    def struck_off(self, run: LiveRun) -> tuple[Beside, ...]:
        """Return what is written with the end of a run, so that nothing of it is left elsewhere."""
        return () if run.handed is None else (self._executor.struck_off(run.id),)

    async def left(self) -> list[LeftRun]:
        """Return the runs that earlier engines have left, the oldest first.

        Raises:
            StoreError: the database cannot be read.
        """
        return await self._executor.left(_read_memory)

    def take_up(self, left: LeftRun, job: Job) -> LiveRun:
        """Return a run that an earlier engine has left, as it stands; the executor goes on with it."""
        run = _as_it_stands(left, job)
        run.handed = self._handed(run, Source(b"", left.request.source_hash))
        self._executor.take_up(left, run.handed)
        return run

    def _handed(self, run: LiveRun, source: Source) -> Handed:
        def begun(worker: str) -> None:
            self._spawn(self._records.taken(run, self._clock.now(), source, worker))

        return Handed(begun=begun, memory=_memory_of(run))


def _memory_of(run: LiveRun) -> bytes:
    return msgspec.msgpack.encode(
        Memory(run.queued, run.rescheduled_from, run.called_by, run.crashes, run.first_trigger, run.given)
    )


def _read_memory(memory: bytes) -> Memory | None:
    return msgspec.msgpack.decode(memory, type=Memory) if memory else None


def _as_it_stands(left: LeftRun, job: Job) -> LiveRun:
    request = left.request
    memory = _read_memory(left.memory) or Memory(request.due)
    run = LiveRun(
        id=request.run_id,
        owner=job,
        trigger=request.trigger,
        due=request.due,
        queued=memory.queued,
        data=request.data,
        user_id=request.user_id,
        called_by=memory.called_by,
        given=memory.given,
        settings=job.settings,
        schedule=job.schedule,
        attempt=request.attempt,
        rescheduled_from=memory.rescheduled_from,
        crashes=memory.crashes,
        first_trigger=memory.first_trigger,
        status=RunStatus.RUNNING if left.started else RunStatus.QUEUED,
        started=left.started,
        written=True,
        log_lines=left.log_lines,
    )
    settle(run.recorded)
    _stop_as_before(run, left)
    return run


def _stop_as_before(run: LiveRun, left: LeftRun) -> None:
    """Let a run be ended that was told to end, as if it was told now."""
    # Whoever has it listens for it.
    run.stopping.listens = True
    if left.stop is None:
        return
    if left.grace is None:
        run.stopping.ask(left.stop)
    else:
        run.stopping.ask_within(left.stop, left.grace) if left.grace else run.stopping.end(left.stop)
