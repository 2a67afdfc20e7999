"""What the dashboard knows of the engine: a plain model that the link writes and the screens read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from engine.events import (
    EngineStateChanged,
    Event,
    JobChanged,
    RunFinished,
    RunQueued,
    RunStarted,
)
from engine.roles import Role
from engine.states import FINAL, Activity, JobStatus, RunStatus
from engine.views import CallerView, EngineView, ListedJob, RunView
from tui.look.words import needs_attention

#: Ends of runs kept for each job, for the lists' little plots.
ENDS_KEPT = 20
RATE_WINDOW = timedelta(minutes=1)


class Reach(StrEnum):
    """How the dashboard stands to its engine."""

    CONNECTING = "connecting"
    LIVE = "live"
    STOPPED = "stopped"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class End:
    """How one run ended, as the little plots need it."""

    run: int
    status: str
    duration_ms: float | None


Listener = Callable[[Event], None]

#: Is told what each event changes: of which job, or of ENGINE, and the new values.
Watcher = Callable[[str, Mapping[str, Any]], None]

#: Stands for the engine where otherwise a job's name stands.
ENGINE = ""

#: Ends that are not the job's doing, and leave its last error as it is.
_NOT_ITS_DOING = frozenset({RunStatus.CANCELLED, RunStatus.SKIPPED})


class JobChanges:
    """Which jobs came, went or changed since somebody looked last."""

    def __init__(self) -> None:
        self._names: set[str] | None = None

    def note(self, name: str) -> None:
        """Note that a job changed."""
        if self._names is not None:
            self._names.add(name)

    def note_all(self) -> None:
        """Note that all jobs were fetched anew."""
        self._names = None

    def taken(self) -> set[str] | None:
        """Return the names of the jobs, None for all of them, and begin anew."""
        names, self._names = self._names, set()
        return names


def utc_now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)


class Board:
    """The engine, its jobs and how their last runs ended, as last heard.

    Attributes:
        reach: whether what is shown is live; `since` says since when it is so, `trouble` why not.
        edition: counts up whenever jobs came, went or changed; a screen compares it with what it drew.
        session: the engine's session; another one means that it was restarted.
        role: what the engine lets this dashboard do.
        when_doubted: called with the name of a job that may stand otherwise than it was noted.
    """

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        """Know nothing yet.

        Args:
            clock: tells the time here, aware.
        """
        self._clock = clock
        self.reach = Reach.CONNECTING
        self.since = clock()
        self.trouble = ""
        self.engine: EngineView | None = None
        self.role = Role.ADMIN
        self.clock_distance = timedelta()
        self.jobs: dict[str, ListedJob] = {}
        self.ends: dict[str, deque[End]] = {}
        self.edition = 0
        self.runs_edition = 0
        self._finished: deque[datetime] = deque()
        self.when_doubted: Callable[[str], None] = lambda name: None
        self._listeners: list[Listener] = []
        self._watchers: list[Watcher] = []
        self._needy: set[str] = set()
        self._followers: list[JobChanges] = []

    # What the link writes

    def reached(self, reach: Reach, trouble: str = "") -> None:
        """Note how the dashboard stands to its engine now."""
        if reach is not self.reach:
            self.since = self._clock()
        self.reach, self.trouble = reach, trouble

    def take_engine(self, view: EngineView) -> None:
        """Note the engine's own figures."""
        self.engine = view
        distance = view.now - self._clock()
        # A second is within what the way takes.
        self.clock_distance = distance if abs(distance) > timedelta(seconds=1) else timedelta()

    def take_caller(self, view: CallerView) -> None:
        """Note who this is to the engine."""
        self.role = Role(view.role)

    def take_jobs(self, jobs: Iterable[ListedJob]) -> None:
        """Note all jobs anew."""
        self.jobs = {job.name: job for job in jobs}
        self._needy = {job.name for job in self.jobs.values() if needs_attention(job)}
        for follower in self._followers:
            follower.note_all()
        self.edition += 1

    def take_job(self, job: ListedJob) -> None:
        """Note one job anew."""
        self.jobs[job.name] = job
        if needs_attention(job):
            self._needy.add(job.name)
        else:
            self._needy.discard(job.name)
        for follower in self._followers:
            follower.note(job.name)
        self.edition += 1

    def take_written(self, job: ListedJob) -> None:
        """Note a job as the answer to a change of its file has it; events may have overtaken that."""
        self.take_job(job)
        self.when_doubted(job.name)

    def drop_job(self, name: str) -> None:
        """Note that a job is gone."""
        if self.jobs.pop(name, None) is None:
            return
        self._needy.discard(name)
        for follower in self._followers:
            follower.note(name)
        self.edition += 1

    def take_runs(self, runs: Sequence[RunView], meanwhile: Iterable[RunFinished] = ()) -> None:
        """Note how past runs ended.

        Args:
            runs: the newest first.
            meanwhile: the ends that were told while these were waited for.
        """
        self.ends = {}
        self._finished = deque(sorted(run.finished for run in runs if run.finished))
        for run in runs:
            ends = self.ends.setdefault(run.job, deque(maxlen=ENDS_KEPT))
            if run.status in FINAL and len(ends) < ENDS_KEPT:
                ends.appendleft(End(run.id, run.status, run.duration_ms))
        for event in meanwhile:
            self._note_end(event)
        self.edition += 1
        self.runs_edition += 1

    def take(self, event: Event) -> None:
        """Apply an event, and hand it to those who listen."""
        match event:
            case EngineStateChanged():
                self._engine_changed(event)
            case JobChanged():
                self._job_changed(event)
            case RunQueued():
                self._run_queued(event)
            case RunStarted():
                self._run_started(event)
            case RunFinished():
                self._run_finished(event)
        for listener in tuple(self._listeners):
            listener(event)

    # What screens read

    def now(self) -> datetime:
        """Return the time by the engine's clock."""
        return self._clock() + self.clock_distance

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Hand every further event to a listener; the returned function ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell somebody what further events change; the returned function ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def follow_jobs(self) -> JobChanges:
        """Return what collects the jobs that change from now on; at first it has all of them."""
        changes = JobChanges()
        self._followers.append(changes)
        return changes

    @property
    def is_live(self) -> bool:
        """Whether actions can reach the engine."""
        return self.reach is Reach.LIVE

    def runs_per_minute(self) -> int:
        """Return how many runs ended in the last minute."""
        oldest = self._clock() - RATE_WINDOW
        while self._finished and self._finished[0] < oldest:
            self._finished.popleft()
        return len(self._finished)

    def needing_attention(self) -> int:
        """Return how many jobs somebody has to look at."""
        return len(self._needy)

    def last_duration(self, job: str) -> float | None:
        """Return how long a job's last run took, in milliseconds."""
        ends = self.ends.get(job)
        return ends[-1].duration_ms if ends else None

    # How each event changes the model

    def _engine_changed(self, event: EngineStateChanged) -> None:
        self._tell(ENGINE, {"state": event.state})
        if self.engine is not None:
            self.engine = replace(self.engine, state=event.state)

    def _job_changed(self, event: JobChanged) -> None:
        job = self.jobs.get(event.job)
        # Events do not say whether a job is active; one that just became INACTIVE is not.
        fell = job is not None and event.status == JobStatus.INACTIVE != job.status
        self._alter(
            event.job,
            status=event.status,
            reason=event.reason,
            next_run=event.next_run,
            activity=event.activity,
            **({"active": False} if fell else {}),
        )

    def _run_queued(self, event: RunQueued) -> None:
        self.runs_edition += 1
        job = self.jobs.get(event.job)
        if job is not None and job.activity == Activity.IDLE:
            self._alter(event.job, activity=Activity.QUEUED.value)
        self._count(queued=1)

    def _run_started(self, event: RunStarted) -> None:
        self.runs_edition += 1
        self._alter(
            event.job,
            activity=Activity.RUNNING.value,
            last_run=event.at,
            last_run_id=event.run,
            last_status=RunStatus.RUNNING.value,
        )
        self._count(running=1, queued=-1)

    def _run_finished(self, event: RunFinished) -> None:
        self.runs_edition += 1
        self._note_end(event)
        if event.duration_ms is None:
            # It never started, and so is not the job's last run. What the job does now is told after it.
            self._count(queued=-1)
            return
        self._alter(
            event.job,
            activity=Activity.IDLE.value,
            last_run_id=event.run,
            last_status=event.status,
            **self._error_after(event),
        )
        self._count(running=-1)

    def _note_end(self, event: RunFinished) -> None:
        ends = self.ends.setdefault(event.job, deque(maxlen=ENDS_KEPT))
        # The runs were fetched while the event was on its way.
        if any(end.run == event.run for end in ends):
            return
        ends.append(End(event.run, event.status, event.duration_ms))
        self._finished.append(event.at)

    def _error_after(self, event: RunFinished) -> dict[str, str | None]:
        """Return the last error of a job after a run, if that is another one (see `engine.rules.outcome`)."""
        job = self.jobs.get(event.job)
        if event.status in _NOT_ITS_DOING or job is None or job.status == JobStatus.INVALID:
            return {}
        if event.status != RunStatus.COMPLETE:
            return {"error": event.error}
        return {} if job.status == JobStatus.INACTIVE else {"error": None}

    def _alter(self, name: str, **changes: Any) -> None:
        self._tell(name, changes)
        if (job := self.jobs.get(name)) is not None:
            self.take_job(msgspec.structs.replace(job, **changes))

    def _tell(self, name: str, changes: Mapping[str, Any]) -> None:
        for watcher in self._watchers:
            watcher(name, changes)

    def _count(self, *, running: int = 0, queued: int = 0) -> None:
        """Keep the engine's figures near the truth until it is asked for them again."""
        if (view := self.engine) is not None:
            self.engine = replace(
                view, running=max(0, view.running + running), queued=max(0, view.queued + queued)
            )
