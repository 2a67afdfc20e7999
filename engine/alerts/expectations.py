"""Until when each job should have run, by its schedule and some grace; tells of those that have not.

It goes by the schedule in the job's file alone, not by what the engine has armed or done: so whatever kept
the job from running shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.rules.lifecycle import key_of
from engine.runs.job import Job
from engine.runs.scheduler import Scheduler
from engine.states import JobStatus
from engine.times.clock import Clock


@dataclass(frozen=True, slots=True)
class _Expected:
    """A run should have started, or gone on, between `due` and so many seconds later."""

    due: datetime
    seconds: float
    schedule_key: str

    @property
    def until(self) -> datetime:
        return self.due + timedelta(seconds=self.seconds)


class Expectations:
    """Waits for the runs of jobs."""

    def __init__(
        self,
        *,
        jobs: Mapping[str, Job],
        clock: Clock,
        runs_now: Callable[[str], bool],
        missing: Callable[[str, datetime, datetime], None],
    ) -> None:
        """Make it; nothing is expected before `start`.

        Args:
            runs_now: whether a run of a job goes on.
            missing: told of a job that has not run since a due time, and when that was found.
        """
        self._jobs = jobs
        self._clock = clock
        self._runs_now = runs_now
        self._missing = missing
        self._expected: dict[str, _Expected] = {}
        self._ran: dict[str, datetime] = {}
        self._timer = Scheduler(clock=clock, on_due=lambda name, _: self._look(name))

    def start(self) -> None:
        """Begin to tell."""
        self._timer.start()

    def stop(self) -> None:
        """Tell no more."""
        self._timer.stop()

    def tick(self, now: datetime) -> int:
        """Look at the jobs whose time is up at `now`; return how many there were."""
        return self._timer.tick(now)

    def until(self, name: str) -> datetime | None:
        """Return until when a job is to have run, if anything is expected of it."""
        return self._timer.due_of(name)

    def expect(self, job: Job, seconds: float) -> None:
        """Expect a job to run at the due times of its schedule, at most so much later.

        What is expected already stays so, unless the schedule or the seconds are others now. While its file
        is bad the job is expected by the schedule that it had.
        """
        present = self._expected.get(job.name)
        if job.settings is None or self._is_same(present, job, seconds):
            return
        due = _first(job, self._clock.now())
        self._set(job.name, _Expected(due, seconds, key_of(job.schedule)) if due else None)

    def drop(self, name: str) -> None:
        """Expect nothing of a job any more."""
        if name in self._expected:
            self._set(name, None)
        self._ran.pop(name, None)

    def ran(self, name: str, at: datetime) -> None:
        """See that a run of a job has started, or that one that had started is over."""
        self._ran[name] = at

    @staticmethod
    def _is_same(present: _Expected | None, job: Job, seconds: float) -> bool:
        return present is not None and (present.schedule_key, present.seconds) == (
            key_of(job.schedule),
            seconds,
        )

    def _set(self, name: str, expected: _Expected | None) -> None:
        if expected is None:
            self._expected.pop(name, None)
        else:
            self._expected[name] = expected
        self._timer.arm(name, expected.until if expected else None)

    def _look(self, name: str) -> None:
        """See whether a job has run in time, and what is expected of it next."""
        expected, job, now = self._expected.get(name), self._jobs.get(name), self._clock.now()
        if expected is None or job is None:
            return
        seen = self._seen(name, expected.due, now)
        if seen is None and not _excused(job, expected.due):
            self._missing(name, expected.due, now)
        following = _following(job, expected.due, seen or now)
        self._set(name, replace(expected, due=following) if following else None)

    def _seen(self, name: str, due: datetime, now: datetime) -> datetime | None:
        """Return when a job was last seen to run, if that was at a due time or after it."""
        if self._runs_now(name):
            return now
        ran = self._ran.get(name)
        return ran if ran is not None and ran >= due else None


def _first(job: Job, now: datetime) -> datetime | None:
    if job.schedule is None:
        return None
    planned = job.state.due
    return planned if planned is not None and planned > now else job.schedule.first(now)


def _following(job: Job, due: datetime, seen: datetime) -> datetime | None:
    """Return the first due time after `due` and after the job was last seen to run."""
    if job.schedule is None:
        return None
    following = job.schedule.following(due, seen)
    if job.state.status is JobStatus.SLEEPING and job.state.due is not None and following is not None:
        return max(following, job.state.due)
    return following


def _excused(job: Job, due: datetime) -> bool:
    """Whether a job was not to run at a due time: in a blackout, or because it sleeps until later."""
    if job.blackout is not None and job.blackout.window_at(due) is not None:
        return True
    return job.state.status is JobStatus.SLEEPING and job.state.due is not None and job.state.due > due
