"""The wall clock being set back while the engine runs: jobs are armed as `engine.rules.setback` says."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from engine.rules.setback import set_back
from engine.rules.slots import SET_BACK
from engine.runs.dispatcher import Dispatcher
from engine.runs.job import Job
from engine.runs.jobrows import patch_of
from engine.store.journal import Journal
from engine.times.quantities import format_duration

logger = logging.getLogger("moontide.scheduler")


class ClockSet:
    """Lets all jobs follow a clock that was set back."""

    def __init__(self, *, jobs: Mapping[str, Job], dispatcher: Dispatcher, journal: Journal) -> None:
        self._jobs = jobs
        self._dispatcher = dispatcher
        self._journal = journal

    def went_back(self, now: datetime, by: timedelta) -> None:
        """Arm jobs anew where that is due.

        Args:
            now: what the clock shows since.
            by: how far it was set back.
        """
        changed = []
        for job in self._jobs.values():
            state = set_back(job.state, job.schedule, now, by)
            if state is not job.state:
                self._dispatcher.change_job(job, state, SET_BACK)
                changed.append(job)
        words = format_duration(round(by.total_seconds()))
        logger.warning("the wall clock was set back by %s; %d jobs are planned anew", words, len(changed))
        if changed:
            self._journal.job_changed([patch_of(job) for job in changed])
