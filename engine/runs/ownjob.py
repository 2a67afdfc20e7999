"""What runs may ask about their own job, on the engine's side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from engine.calls.arguments import MISSING
from engine.errors import CoreError, JobNotFound, StoreError
from engine.rules import lifecycle
from engine.runs.dispatcher import Dispatcher
from engine.runs.job import Job
from engine.runs.jobrows import patch_of
from engine.store.jobstates import JobStates
from engine.store.journal import Journal
from engine.times.clock import Clock

CHOSEN = "the job chose an earlier time by job.next"


class OwnJob:
    """Implements `engine.calls.jobcontrol.JobControl`."""

    def __init__(
        self,
        *,
        clock: Clock,
        find_job: Callable[[str], Job],
        dispatcher: Dispatcher,
        states: JobStates,
        journal: Journal,
    ) -> None:
        """Make it of the parts that do the work.

        Args:
            find_job: gives a job by its name; raises JobNotFound.
        """
        self._clock = clock
        self._find_job = find_job
        self._dispatcher = dispatcher
        self._states = states
        self._journal = journal

    async def state(self, job: str, *, lasting: bool) -> Any:
        """Return what the job keeps, None if that is nothing."""
        with _in_words_for_jobs():
            return (await self._states.view(job, lasting=lasting)).value

    async def keep_state(self, job: str, value: Any, *, lasting: bool, run_id: int) -> None:
        """Keep a value for the job's later runs; returns once it is durable."""
        with _in_words_for_jobs():
            await self._states.keep(job, value, lasting=lasting, run_id=run_id)

    async def next(self, job: str, when: datetime | timedelta) -> str | None:
        """Let the job be due once before its next due time; returns why not, or None once it is durable."""
        with _in_words_for_jobs():
            own, now = self._find_job(job), self._clock.now()
            due = now + when if isinstance(when, timedelta) else when
            problem = lifecycle.why_not_next(own.state, due, now)
            if problem is None:
                self._journal.check_available()
                self._dispatcher.change_job(own, lifecycle.chose_next(own.state, due), CHOSEN)
                await self._journal.job_changed([patch_of(own)])
                self._dispatcher.tell_job(own)
            return problem


@contextmanager
def _in_words_for_jobs() -> Iterator[None]:
    try:
        yield
    except JobNotFound as error:
        raise CoreError(f"the file of job {error.name} was removed", MISSING) from error
    except StoreError as error:
        raise CoreError("the engine's database cannot be used now; try again later") from error
