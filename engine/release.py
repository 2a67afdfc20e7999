"""What jobs make up for when they are let go: a group is enabled again, or a pause is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from engine.catchup import is_open, make_up
from engine.clock import Clock
from engine.dispatcher import Dispatcher
from engine.errors import StoreError
from engine.holds import Holds
from engine.job import Job, LastRun
from engine.planner import Planner
from engine.slots import Slot
from engine.store.journal import Journal
from engine.store.rows import JobPatch

logger = logging.getLogger("moontide.holds")

#: Jobs that are let go and ask for it, each with the last run that it had until then.
Asking = list[tuple[Job, LastRun | None]]


class Release:
    """Plans one run for each job with `run_skipped` of which a due time passed while it was held."""

    def __init__(
        self,
        *,
        clock: Clock,
        holds: Holds,
        dispatcher: Dispatcher,
        planner: Planner,
        journal: Journal,
        newest: Callable[[str], Slot | None],
    ) -> None:
        """Make the part.

        Args:
            newest: reads the latest slot of a job; called in a thread.
        """
        self._clock = clock
        self._holds = holds
        self._dispatcher = dispatcher
        self._planner = planner
        self._journal = journal
        self._newest = newest

    def asking(self, jobs: Iterable[Job]) -> Asking:
        """Return those that want to make up for what passed; called before anything of theirs may start."""
        wanted = []
        for job in jobs:
            # A run-once job waits for its next time anyway.
            if job.settings is not None and job.settings.run_skipped and not job.settings.run_once:
                # What passes from now on is another story, and must not grow what was.
                job.skipping = None
                wanted.append((job, job.last))
        return wanted

    async def make_up(self, asking: Asking) -> None:
        """Plan a run for each of some jobs that are let go, unless something else still holds it."""
        for job, last in asking:
            try:
                await self._make_up(job, last)
            except StoreError as error:
                logger.error("job %s does not make up for what passed while it was held: %s", job.name, error)

    async def _make_up(self, job: Job, last: LastRun | None) -> None:
        newest = await asyncio.to_thread(self._newest, job.name)
        if newest is None or not is_open(newest, last) or self._holds.on(job.name, job.settings) is not None:
            return
        run = make_up(job, newest, self._dispatcher.new_run_id, self._clock.now())
        if run is None:
            return
        made_up = JobPatch(job.name, {}, (replace(newest, run_id=run.id),))
        await self._journal.job_changed([made_up], planned=[run])
        self._planner.kept(run)
