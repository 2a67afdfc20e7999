"""Keeps an engine busy: runs on-demand jobs again as soon as each has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from engine.events import Event, RunFinished
from engine.runs.job import Job
from engine.service import Engine


class Driver:
    """Submits a run of every given job, and another one whenever a run's end is committed."""

    def __init__(self, engine: Engine, jobs: Sequence[Job]) -> None:
        self._dispatcher = engine.dispatcher
        self._jobs = {job.name: job for job in jobs}
        self._submitting: set[asyncio.Task[object]] = set()
        self._unsubscribe = engine.events.subscribe(self._heard, (RunFinished,))
        self.committed = 0
        self.failed = 0

    def start(self) -> None:
        """Submit the first run of each job."""
        for job in self._jobs.values():
            self._submit(job)

    async def stop(self) -> None:
        """Submit no more; the runs under way go on."""
        self._unsubscribe()
        await asyncio.gather(*self._submitting)

    async def rate(self, seconds: float) -> float:
        """Return the runs per second whose outcomes were committed during so many seconds."""
        before, began = self.committed, time.perf_counter()
        await asyncio.sleep(seconds)
        return (self.committed - before) / (time.perf_counter() - began)

    def _submit(self, job: Job) -> None:
        task: asyncio.Task[object] = asyncio.ensure_future(self._dispatcher.submit(job))
        self._submitting.add(task)
        task.add_done_callback(self._submitting.discard)

    def _heard(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self.committed += 1
            self.failed += event.status != "COMPLETE"
            self._submit(self._jobs[event.job])
