"""Until when each job should have run, by its schedules and some grace; tells of those that have not.

It goes by the schedule in the job's file and by the repeating ones given at run time, not by what the engine
has armed or done: so whatever kept the job from running shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.rules.lifecycle import key_of
from engine.runs.job import Job
from engine.runs.scheduler import Scheduler
from engine.states import JobStatus
from engine.store.rows import GivenSchedule
from engine.times.clock import Clock
from engine.times.schedule import Schedule


@dataclass(frozen=True, slots=True)
class _Expected:
    """A run should have started, or gone on, between `due` and so many seconds later.

    Attributes:
        schedule_id: of the schedule given at run time that says so; None for that of the file.
    """

    job: str
    due: datetime
    seconds: float
    schedule_key: str
    schedule_id: int | None = None

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return _key(self.job, self.schedule_id)

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
        given: Callable[[str], Iterable[tuple[GivenSchedule, Schedule]]],
    ) -> None:
        """Make it; nothing is expected before `start`.

        Args:
            runs_now: whether a run of a job goes on.
            missing: told of a job that has not run since a due time, and when that was found.
            given: the repeating schedules of a job that were given at run time and are in force.
        """
        self._jobs = jobs
        self._clock = clock
        self._runs_now = runs_now
        self._missing = missing
        self._given = given
        self._expected: dict[str, _Expected] = {}
        self._keys: defaultdict[str, set[str]] = defaultdict(set)
        self._ran: dict[str, datetime] = {}
        self._timer = Scheduler(clock=clock, on_due=lambda key, _: self._look(key))

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
        return min((expected.until for expected in self._of(name)), default=None)

    def expect(self, job: Job, seconds: float) -> None:
        """Expect a job to run at the due times of its file's schedule, at most so much later.

        What is expected already stays so, unless the schedule or the seconds are others now. While its file
        is bad the job is expected by the schedule that it had.
        """
        present = self._expected.get(_key(job.name))
        if job.settings is None or self._is_same(present, job, seconds):
            return
        self.drop_own(job.name)
        if (due := _first(job, self._clock.now())) is not None:
            self._put(_Expected(job.name, due, seconds, key_of(job.schedule)))

    def expect_given(self, job: Job, seconds: float) -> None:
        """Expect a job to run at the due times of its given schedules too; otherwise as `expect` does."""
        if job.settings is None:
            return
        now, given = self._clock.now(), dict(self._given_of(job.name))
        for expected in self._of(job.name):
            if expected.schedule_id is not None and expected.schedule_id not in given:
                self._drop(expected.key)
        for schedule_id, (row, schedule) in given.items():
            present = self._expected.get(_key(job.name, schedule_id))
            if row.due is None or (present is not None and present.seconds == seconds):
                continue
            due = row.due if row.due > now else schedule.following(row.due, now)
            if due is not None:
                self._put(_Expected(job.name, due, seconds, schedule.words(), schedule_id))

    def drop(self, name: str) -> None:
        """Expect nothing of a job any more."""
        for expected in self._of(name):
            self._drop(expected.key)
        self._ran.pop(name, None)

    def drop_own(self, name: str) -> None:
        """Expect a job no more by the schedule of its file."""
        self._drop(_key(name))

    def ran(self, name: str, at: datetime) -> None:
        """See that a run of a job has started, or that one that had started is over."""
        self._ran[name] = at

    @staticmethod
    def _is_same(present: _Expected | None, job: Job, seconds: float) -> bool:
        return present is not None and (present.schedule_key, present.seconds) == (
            key_of(job.schedule),
            seconds,
        )

    def _of(self, name: str) -> list[_Expected]:
        """Return what is expected of a job."""
        return [self._expected[key] for key in self._keys.get(name, ())]

    def _given_of(self, name: str) -> Iterable[tuple[int, tuple[GivenSchedule, Schedule]]]:
        return ((row.id, (row, schedule)) for row, schedule in self._given(name))

    def _put(self, expected: _Expected) -> None:
        self._expected[expected.key] = expected
        self._keys[expected.job].add(expected.key)
        self._timer.arm(expected.key, expected.until)

    def _drop(self, key: str) -> None:
        expected = self._expected.pop(key, None)
        if expected is None:
            return
        self._timer.arm(key, None)
        keys = self._keys[expected.job]
        keys.discard(key)
        if not keys:
            del self._keys[expected.job]

    def _look(self, key: str) -> None:
        """See whether a job has run in time, and what is expected of it next."""
        expected, now = self._expected.get(key), self._clock.now()
        job = self._jobs.get(expected.job) if expected is not None else None
        if expected is None or job is None:
            return
        seen = self._seen(job.name, expected.due, now)
        if seen is None and not _excused(job, expected.due):
            self._missing(job.name, expected.due, now)
        following = _following(job, self._schedule_of(job, expected), expected.due, seen or now)
        if following is None:
            self._drop(key)
        elif key in self._expected:
            self._put(replace(expected, due=following))

    def _schedule_of(self, job: Job, expected: _Expected) -> Schedule | None:
        """Return the schedule by which a job is expected, None if it is in force no more."""
        if expected.schedule_id is None:
            return job.schedule
        _, schedule = dict(self._given_of(job.name)).get(expected.schedule_id, (None, None))
        return schedule

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


def _key(job: str, schedule_id: int | None = None) -> str:
    return f"file {job}" if schedule_id is None else f"given {schedule_id}"


def _following(job: Job, schedule: Schedule | None, due: datetime, seen: datetime) -> datetime | None:
    """Return the first due time after `due` and after the job was last seen to run."""
    if schedule is None:
        return None
    following = schedule.following(due, seen)
    if job.state.status is JobStatus.SLEEPING and job.state.due is not None and following is not None:
        return max(following, job.state.due)
    return following


def _excused(job: Job, due: datetime) -> bool:
    """Whether a job was not to run at a due time: in a blackout, or because it sleeps until later."""
    if job.blackout is not None and job.blackout.window_at(due) is not None:
        return True
    return job.state.status is JobStatus.SLEEPING and job.state.due is not None and job.state.due > due
