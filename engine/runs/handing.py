"""Runs that are carried out elsewhere: handed over, they wait there, and start when somebody takes them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from engine.extensions.executors import Handed, HandsOver
from engine.run import RunRequest
from engine.runs.job import Source
from engine.runs.liverun import LiveRun
from engine.runs.runrecords import RunRecords
from engine.times.clock import Clock


class Handing:
    """Hands runs over to an executor whose runs wait elsewhere."""

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

        def begun(worker: str) -> None:
            self._spawn(self._records.taken(run, self._clock.now(), source, worker))

        run.handed = Handed(begun=begun)
        await self._records.handed_over(run, source, self._executor.hand_over(request, run.handed))
