"""Startup jobs: run one after another, in their order, before the engine serves any schedule."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from engine.errors import StartupFailed
from engine.events import Event, Events, RunFinished
from engine.rules.lifecycle import first_line
from engine.runs.dispatcher import Dispatcher
from engine.runs.job import Job
from engine.states import RunStatus, Trigger
from engine.times.clock import Clock

logger = logging.getLogger("moontide.startup")


async def run_startup_jobs(
    jobs: Iterable[Job], *, dispatcher: Dispatcher, events: Events, clock: Clock
) -> None:
    """Run every startup job that is switched on, each when the one before has ended well.

    Raises:
        StartupFailed: one did not end COMPLETE; those after it do not run.
    """
    for job in in_order(jobs):
        skip = dispatcher.skip_due(job, clock.now())
        if skip is not None:
            logger.warning("startup job %s does not run: %s", job.name, skip.reason)
            continue
        ended = await _run(job, dispatcher, events)
        if ended.status != RunStatus.COMPLETE:
            raise StartupFailed(
                f"startup job {job.name} ended {ended.status} in run {ended.run}: "
                f"{first_line(ended.error or 'no reason is known')}; the engine does not start"
            )


def in_order(jobs: Iterable[Job]) -> list[Job]:
    """Return the startup jobs that are switched on, in the order of their numbers, then of their names."""
    numbered = [
        (job.settings.startup, job.name, job)
        for job in jobs
        if job.settings is not None and job.settings.startup is not None and job.state.active
    ]
    return [job for _, _, job in sorted(numbered, key=lambda entry: entry[:2])]


async def _run(job: Job, dispatcher: Dispatcher, events: Events) -> RunFinished:
    ends: asyncio.Queue[RunFinished] = asyncio.Queue()

    def watch(event: Event) -> None:
        if isinstance(event, RunFinished) and event.job == job.name:
            ends.put_nowait(event)

    unsubscribe = events.subscribe(watch, (RunFinished,))
    try:
        run = await dispatcher.submit(job, trigger=Trigger.STARTUP)
        while (ended := await ends.get()).run != run.id:
            # Another run of the job, which a startup job before this one asked for.
            continue
        return ended
    finally:
        unsubscribe()
