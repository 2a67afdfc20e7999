"""What jobs make up for when they are let go: a group is enabled again or left, or a pause is over.

Each start of an engine looks too: a pause may have ended while none ran, or an engine right after the pause.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine.errors import StoreError
from engine.rules.holds import Holds
from engine.rules.slots import Slot
from engine.runs.catchup import is_open, make_up
from engine.runs.dispatcher import Dispatcher
from engine.runs.job import Job, LastRun
from engine.runs.planner import Planner
from engine.states import JobStatus
from engine.store.journal import Journal
from engine.store.rows import JobPatch
from engine.times.clock import Clock

logger = logging.getLogger("moontide.holds")

#: Jobs that are let go and ask for it, each with the last run that it had until then.
Asking = list[tuple[Job, LastRun | None]]

#: Job states in which a job would have run at the times that passed.
_ON_SCHEDULE = frozenset({JobStatus.WAITING, JobStatus.EXPIRED})

#: Jobs that a message names.
NAMED = 5


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
        newest: Callable[[Collection[str]], Mapping[str, Slot]],
    ) -> None:
        """Make the part.

        Args:
            newest: reads the latest slots of some jobs; called in a thread.
        """
        self._clock = clock
        self._holds = holds
        self._dispatcher = dispatcher
        self._planner = planner
        self._journal = journal
        self._newest = newest
        self._planning = asyncio.Lock()

    def letting_go(self, jobs: Iterable[Job]) -> Coroutine[Any, Any, None]:
        """Return the work that makes up for what passed; called before anything of the jobs may start.

        It is to be done when they are let go. What something else still holds goes on waiting.
        """
        return self._make_up_all(self._asking(jobs))

    def _asking(self, jobs: Iterable[Job]) -> Asking:
        wanted = []
        for job in jobs:
            # A run-once job waits for its next time anyway.
            if job.settings is not None and job.settings.run_skipped and not job.settings.run_once:
                # What passes from now on is another story, and must not grow what was.
                job.skipping = None
                wanted.append((job, job.last))
        return wanted

    async def _make_up_all(self, asking: Asking) -> None:
        if not asking:
            return
        try:
            # One after another: what one plans, the next finds made up for.
            async with self._planning:
                newest = await asyncio.to_thread(self._newest, [job.name for job, _ in asking])
                open_ones = [
                    (job, newest[job.name]) for job, last in asking if self._is_open(job, last, newest)
                ]
                await self._plan(open_ones)
        except StoreError as error:
            logger.error(
                "%s jobs (%s ...) make up at the next start for what passed while they were held: %s",
                len(asking),
                ", ".join(job.name for job, _ in asking[:NAMED]),
                error,
            )

    def _is_open(self, job: Job, last: LastRun | None, newest: Mapping[str, Slot]) -> bool:
        slot, free = newest.get(job.name), self._holds.on(job.name, job.settings) is None
        return slot is not None and is_open(slot, last) and free and job.state.status in _ON_SCHEDULE

    async def _plan(self, passed: list[tuple[Job, Slot]]) -> None:
        """Plan the runs that make up for some times, all in one transaction."""
        now = self._clock.now()
        made = [(slot, make_up(job, slot, self._dispatcher.new_run_id, now)) for job, slot in passed]
        runs = [(slot, run) for slot, run in made if run is not None]
        patches = [JobPatch(run.job, {}, (replace(slot, run_id=run.id),)) for slot, run in runs]
        if runs:
            await self._journal.job_changed(patches, planned=[run for _, run in runs])
        for _, run in runs:
            self._planner.kept(run)
