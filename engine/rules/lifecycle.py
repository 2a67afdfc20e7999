"""What becomes of a job, apart from its runs: starts, reloads, due times, switches.

Pure functions from one `JobState` to the next; together with `engine.rules.outcome` they are the
specification of when a job runs again. The rules in short:

- A reload or restart keeps a job's remaining time, unless its schedule was changed.
- STOPPED jobs are revived by a reload or restart. INACTIVE ones need a person who activates them, and then
  a reload.
- A run-once job runs once in each session, after its interval; a reload does not run it again.
- A sleeping job sleeps on through reloads and restarts.
- Due times that passed while no engine ran are counted, not caught up.
- The operator's switch wins over `active` in the file until that value in the file is changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from engine.jobs.jobfile import JobSettings
from engine.states import JobStatus
from engine.times.schedule import Schedule

ON_DEMAND = "on demand"
SWITCHED_OFF = "by operator"
INACTIVE_IN_FILE = "active = false in its file"
INACTIVE_BEFORE = "was inactive before its file could not be read"
ACTIVATED = "activated; runs again after a reload"
QUARANTINED = "in quarantine: three attempts of one run crashed their worker; mend the job, then activate it"
SLEEPS = "job.SLEEP returned; runs again 24 h after that run started"
CHOSEN = ", and once before that by job.next"
ONCE_TO_COME = "runs once, then not until a restart"
ONCE_NEXT_START = "runs once, at the next start of the engine"
ONCE_HAS_RUN = "has run once; runs again after a restart"


@dataclass(frozen=True, slots=True)
class JobState:
    """What the engine remembers of a job between its runs.

    Attributes:
        reason: why the job has this status, for people.
        active: the switch: a job that is not active does not run on its schedule.
        next_due: when the job is due next. While the job is INVALID it is kept for the day the file is
            good again; see `due`.
        error: the last error, kept until the next good run.
        once_session: the session in which a run-once job last ran.
        declared_active: `active` in the file as it was last read.
        armed: False for a job that takes part only after a reload, if it is active by then; such a job
            has no due time.
        schedule_key: the words of the schedule that `next_due` comes from; "" for none.
    """

    status: JobStatus
    reason: str
    active: bool
    next_due: datetime | None = None
    error: str | None = None
    once_session: int | None = None
    declared_active: bool = True
    armed: bool = True
    schedule_key: str = ""

    @property
    def due(self) -> datetime | None:
        """When the job is to be run next by the clock; None for one that waits for something else."""
        return self.next_due if self.status in _DUE else None


_DUE = frozenset({JobStatus.WAITING, JobStatus.SLEEPING, JobStatus.ONCE})

#: A job of which nothing is known yet.
UNKNOWN = JobState(JobStatus.INVALID, "not read yet", active=True, armed=False)


@dataclass(frozen=True, slots=True)
class Missed:
    """Due times that passed while no engine ran."""

    count: int
    last_due: datetime


@dataclass(frozen=True, slots=True)
class Armed:
    """A job as an engine starts.

    Attributes:
        start_now: it asks for a run at once, besides its schedule (`run_at_start`).
        missed: what passed while no engine ran, or None.
    """

    state: JobState
    start_now: bool = False
    missed: Missed | None = None


def at_start(
    state: JobState | None, settings: JobSettings, schedule: Schedule | None, *, now: datetime, session: int
) -> Armed:
    """Return what becomes of a job whose file is good as an engine starts.

    Args:
        state: as the database remembers it, or None for a new job.
    """
    if settings.run_once:
        return Armed(_once_at_start(state, settings, schedule, now))
    armed, missed = at_reload(state, settings, schedule, now=now, session=session), None
    if armed.due is not None and armed.due <= now:
        armed, missed = _pass_over(armed, schedule, armed.due, now)
    start_now = settings.run_at_start and armed.status is JobStatus.WAITING
    return Armed(armed, start_now, missed)


def at_reload(
    state: JobState | None, settings: JobSettings, schedule: Schedule | None, *, now: datetime, session: int
) -> JobState:
    """Return what becomes of a job whose file is good at a reload.

    Args:
        state: None for a new job.
    """
    before = _switched_by_file(state, settings)
    if not before.active:
        return _still_inactive(before)
    if settings.run_once:
        return _once_at_reload(before, schedule, now, session)
    if before.status is JobStatus.SLEEPING:
        return replace(before, schedule_key=key_of(schedule))
    kept = _goes_on(before, schedule, now)
    if kept is not None:
        return kept
    return waiting(before, schedule, schedule.first(now) if schedule else None)


def at_return(
    state: JobState | None, settings: JobSettings, schedule: Schedule | None, *, now: datetime, session: int
) -> JobState:
    """Return what becomes of a job whose file is there at a reload, and was not before.

    Due times that passed while it was away make no run.
    """
    back = at_reload(state, settings, schedule, now=now, session=session)
    if back.due is None or back.due > now:
        return back
    return passed_by(back, schedule, back.due, now)


def settings_changed(
    state: JobState, settings: JobSettings, schedule: Schedule | None, *, now: datetime, session: int
) -> JobState:
    """Return what becomes of a job whose settings an operator changed: what a reload would make of it.

    But it is no reload: a job that waits for one goes on waiting.
    """
    if state.status in (JobStatus.STOPPED, JobStatus.INACTIVE):
        return state
    return at_reload(state, settings, schedule, now=now, session=session)


def switched_by_operator(state: JobState, settings: JobSettings) -> bool:
    """Return whether a person switched a job on or off, other than its file says."""
    return state.active != settings.active and (state.active or state.reason == SWITCHED_OFF)


def switch_of_file(state: JobState, settings: JobSettings) -> JobState:
    """Return the state such that the next reload takes the file's switch, where a person moved it."""
    if not switched_by_operator(state, settings):
        return state
    return replace(state, declared_active=not settings.active)


def found_invalid(state: JobState | None, error: str, *, now: datetime) -> JobState:
    """Return what becomes of a job whose file turned out bad at a start or reload.

    Its switch and its time are kept for when a reload finds the file good.
    """
    before = state or UNKNOWN
    return replace(before, status=JobStatus.INVALID, reason=first_line(error), error=error)


def fired(state: JobState, schedule: Schedule | None, due: datetime, now: datetime) -> JobState:
    """Return the state of a job whose due time is taken: it is armed for the next one, start to start."""
    if state.due is None:
        return state
    if state.status is JobStatus.ONCE:
        return replace(state, next_due=None)
    return waiting(state, schedule, schedule.following(due, now) if schedule else None)


def why_not_next(state: JobState, due: datetime, now: datetime) -> str | None:
    """Return why a job cannot be due at a time of its own choice, None if it can."""
    if state.status is not JobStatus.WAITING:
        return f"the job is {state.status.value}; only a WAITING one has a next due time"
    if due <= now:
        return "the time is not in the future"
    if state.next_due is not None and due >= state.next_due:
        return f"the job is due before that, at {state.next_due.isoformat(timespec='seconds')}"
    return None


def chose_next(state: JobState, due: datetime) -> JobState:
    """Return the state of a job that is due at a time of its own choice, then at its schedule again."""
    return replace(state, next_due=due, reason=state.reason.removesuffix(CHOSEN) + CHOSEN)


def passed_by(state: JobState, schedule: Schedule | None, due: datetime, now: datetime) -> JobState:
    """Return the state of a job whose due time makes no run; a run-once job waits for its next one."""
    if state.status is JobStatus.ONCE and state.due is not None:
        following = schedule.following(due, now) if schedule else None
        return replace(state, next_due=following, reason=ONCE_TO_COME if following else ONCE_NEXT_START)
    return fired(state, schedule, due, now)


def activate(state: JobState) -> JobState:
    """Return the state of a job that a person switched on; it runs again after a reload."""
    if state.active:
        return state
    reason = state.reason if state.status is JobStatus.INVALID else ACTIVATED
    return replace(state, active=True, armed=False, reason=reason)


def deactivate(state: JobState, reason: str = SWITCHED_OFF) -> JobState:
    """Return the state of a job that was switched off; one that was off stays as it is."""
    if not state.active:
        return state
    off = replace(state, active=False, armed=False, next_due=None)
    if state.status is JobStatus.INVALID:
        return off
    return replace(off, status=JobStatus.INACTIVE, reason=reason)


def waiting(state: JobState, schedule: Schedule | None, next_due: datetime | None) -> JobState:
    """Return the state of a job that waits for its schedule, or for somebody who runs it.

    One whose schedule is over (`expires`, or the last of its dates) is EXPIRED.
    """
    over, key = schedule is not None and next_due is None, key_of(schedule)
    # At each due time of each job: `replace` would take several times as long.
    return JobState(
        status=JobStatus.EXPIRED if over else JobStatus.WAITING,
        reason=f"{key}: never due again" if over else key or ON_DEMAND,
        active=state.active,
        next_due=next_due,
        error=_error_of_runs(state),
        once_session=state.once_session,
        declared_active=state.declared_active,
        armed=True,
        schedule_key=key,
    )


def sleeping(state: JobState, schedule: Schedule | None, until: datetime, error: str | None) -> JobState:
    """Return the state of a job that returned `job.SLEEP`."""
    return replace(
        state,
        status=JobStatus.SLEEPING,
        reason=SLEEPS,
        next_due=until,
        error=error,
        schedule_key=key_of(schedule),
    )


def once_done(state: JobState, session: int) -> JobState:
    """Return the state of a run-once job whose run of this session is behind it."""
    return replace(
        state,
        status=JobStatus.ONCE_DONE,
        reason=ONCE_HAS_RUN,
        next_due=None,
        error=_error_of_runs(state),
        once_session=session,
        armed=True,
    )


def key_of(schedule: Schedule | None) -> str:
    """Return what tells one schedule from another."""
    return schedule.words() if schedule else ""


def first_line(error: str) -> str:
    """Return the line of an error that is for people; a traceback may follow it."""
    return error.partition("\n")[0]


def _switched_by_file(state: JobState | None, settings: JobSettings) -> JobState:
    """Return the state with the switch as it stands: the file moves it only when its value changed."""
    before = state or UNKNOWN
    if before.declared_active == settings.active:
        return before
    switched = replace(before, active=settings.active, declared_active=settings.active, armed=False)
    if settings.active:
        return switched
    error = _error_of_runs(before)
    return replace(switched, status=JobStatus.INACTIVE, reason=INACTIVE_IN_FILE, next_due=None, error=error)


def _still_inactive(state: JobState) -> JobState:
    if state.status is JobStatus.INACTIVE:
        return state
    return replace(
        state,
        status=JobStatus.INACTIVE,
        reason=INACTIVE_BEFORE,
        next_due=None,
        error=_error_of_runs(state),
        armed=False,
    )


def _goes_on(state: JobState, schedule: Schedule | None, now: datetime) -> JobState | None:
    """Return the job with its remaining time, or None if it has none that is still good."""
    if state.next_due is None or state.schedule_key != key_of(schedule):
        return None
    if state.status in (JobStatus.WAITING, JobStatus.ONCE):
        return waiting(state, schedule, state.next_due)
    if state.status is JobStatus.INVALID and state.next_due > now:
        return _as_before_invalid(state, schedule, now)
    return None


def _as_before_invalid(state: JobState, schedule: Schedule | None, now: datetime) -> JobState:
    """Return a job whose file is good again, with its time; a time beyond its schedule's was a sleep."""
    first = schedule.first(now) if schedule else None
    if state.next_due is not None and (first is None or state.next_due > first):
        return sleeping(state, schedule, state.next_due, None)
    return waiting(state, schedule, state.next_due)


def _once_at_start(
    state: JobState | None, settings: JobSettings, schedule: Schedule | None, now: datetime
) -> JobState:
    before = _switched_by_file(state, settings)
    if not before.active:
        return _still_inactive(before)
    first = schedule.first(now) if schedule else None
    return _once(before, schedule, now if settings.run_at_start else first)


def _once_at_reload(state: JobState, schedule: Schedule | None, now: datetime, session: int) -> JobState:
    if state.once_session == session:
        return once_done(state, session)
    if state.status is JobStatus.ONCE and state.next_due is None:
        # Its one run is under way; arming it again would make a second.
        return state
    kept = _goes_on(state, schedule, now)
    if kept is not None:
        return _once(state, schedule, kept.next_due)
    return _once(state, schedule, schedule.first(now) if schedule else None)


def _once(state: JobState, schedule: Schedule | None, next_due: datetime | None) -> JobState:
    return replace(
        state,
        status=JobStatus.ONCE,
        reason=ONCE_TO_COME if next_due else ONCE_NEXT_START,
        next_due=next_due,
        error=_error_of_runs(state),
        armed=True,
        schedule_key=key_of(schedule),
    )


def _pass_over(
    state: JobState, schedule: Schedule | None, due: datetime, now: datetime
) -> tuple[JobState, Missed]:
    """Return the job armed for a time to come, and what passed until now."""
    following = schedule.following(due, now) if schedule else None
    moved = waiting(state, schedule, following)
    if state.status is JobStatus.SLEEPING or schedule is None:
        return moved, Missed(1, due)
    return moved, Missed(schedule.missed(due, now), schedule.latest(due, now))


def _error_of_runs(state: JobState) -> str | None:
    """Return the job's last error; that of a bad file goes when the file is good."""
    return None if state.status is JobStatus.INVALID else state.error
