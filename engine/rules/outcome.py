"""What a run that ended does to its job. Pure, and the specification of what `run()` may return.

| the run                               | next run                             | stays active |
| ------------------------------------- | ------------------------------------ | ------------ |
| returned `job.OK`                     | at the schedule                      | yes          |
| returned `job.SLEEP`                  | 24 h after this run started          | yes          |
| returned `job.STOP`                   | after a reload or restart            | yes          |
| returned `job.EXIT`                   | after a person activates and reloads | no           |
| failed: error, timeout, crash         | as EXIT, with the error kept         | no           |
| returned `job.RETRY`                  | as failed                            |              |
| failed, and is tried again            | at the schedule, and at the retry    | yes          |
| failed, with `on_error = "continue"`  | at the schedule, with the error kept | yes          |
| failed, with a plugin's `on_error`    | as its policy says, the error kept   | as it says   |
| crashed its worker a third time       | as EXIT, whatever `on_error` says    | no           |
| failed by nothing that the job did    | at the schedule, with the error kept | yes          |
| was cancelled, or the engine died     | at the schedule                      | yes          |

The first three make a run-once job ONCE DONE, if it was its own run and not one by hand. Runs by hand are
obeyed like any other, but no run revives a job that is STOPPED or INACTIVE. A run that the engine's own
death ended never comes here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from engine.jobs import policies
from engine.jobs.jobfile import JobSettings
from engine.jobs.policies import Failure, OutcomePolicy, Verdict
from engine.rules.lifecycle import QUARANTINED, JobState, first_line, once_done, sleeping, waiting
from engine.run import Outcome
from engine.states import JobStatus, Returned, RunStatus, Trigger
from engine.times.schedule import Schedule

SLEEP = timedelta(hours=24)
STOPPED_REASON = "job.STOP returned; runs again after a reload or restart"
EXIT_REASON = "job.EXIT returned"

#: Runs that no person or program asked for: what a run-once job owes.
_OWN = frozenset({Trigger.SCHEDULE, Trigger.START, Trigger.RETRY, Trigger.MISSED})

#: Ends that are not the job's doing.
_NOT_ITS_DOING = frozenset({RunStatus.CANCELLED, RunStatus.SKIPPED})

#: What only a reload, a restart or a person changes.
_SET_ASIDE = frozenset({JobStatus.STOPPED, JobStatus.INACTIVE, JobStatus.INVALID})


def after_run(
    state: JobState,
    settings: JobSettings,
    schedule: Schedule | None,
    outcome: Outcome,
    *,
    started: datetime,
    finished: datetime,
    session: int,
    trigger: Trigger,
    retried: bool = False,
    on_error: Mapping[str, OutcomePolicy] = policies.BUILT_IN,
    quarantined: bool = False,
) -> JobState:
    """Return the job's state after a run.

    Args:
        state: the job's state now; its next due time was set when the run was fired.
        outcome: how the run ended; not for runs that ended because the engine died.
        started: when the run's code started; SLEEP counts from here.
        finished: when it ended.
        retried: a failed run is tried again; until that has ended too the job goes on as it was.
        on_error: what a failure may mean, by the value of that setting.
        quarantined: too many attempts of this run have crashed.
    """
    once = settings.run_once and trigger in _OWN
    if outcome.status in _NOT_ITS_DOING:
        return _once_behind(state, session) if once else state
    if outcome.status is not RunStatus.COMPLETE or outcome.returned is None:
        error = outcome.error or f"the run ended {outcome.status.value}"
        if retried:
            return _still_trying(state, error)
        if outcome.blameless:
            return _once_behind(_still_trying(state, error), session) if once else _still_trying(state, error)
        if quarantined:
            return _failed(state, error, QUARANTINED)
        failure = Failure(outcome.status, error, trigger, started, finished, settings.as_dict())
        # A plugin that is gone since the file was read leaves the rule of the guide.
        policy = on_error.get(settings.on_error) or policies.BUILT_IN["deactivate"]
        verdict = policy.decide(failure)
        if once and verdict.active:
            return _once_behind(_still_trying(state, error), session)
        return _judged(state, schedule, failure, verdict)
    if outcome.returned is Returned.EXIT:
        return _exited(state)
    if settings.run_once:
        return _once_behind(_good(state), session) if once else _good(state)
    match outcome.returned:
        case Returned.SLEEP:
            return _slept(state, schedule, started + SLEEP)
        case Returned.STOP:
            return _stopped(state)
        case _:
            return _went_well(state, schedule, started, finished)


def _still_trying(state: JobState, error: str) -> JobState:
    """Return the job as it is, with its error to be seen."""
    return state if state.status is JobStatus.INVALID else replace(state, error=error)


def _judged(state: JobState, schedule: Schedule | None, failure: Failure, verdict: Verdict) -> JobState:
    if not verdict.active:
        return _failed(state, failure.error)
    until = verdict.sleep_until
    if until is None or until <= failure.finished or state.status in _SET_ASIDE:
        return _still_trying(state, failure.error)
    return sleeping(state, schedule, until, failure.error)


def _went_well(state: JobState, schedule: Schedule | None, started: datetime, finished: datetime) -> JobState:
    if state.status is JobStatus.SLEEPING:
        return _good(waiting(state, schedule, schedule.following(started, finished) if schedule else None))
    return _good(state)


def _slept(state: JobState, schedule: Schedule | None, until: datetime) -> JobState:
    if state.status is JobStatus.INVALID and state.armed:
        return replace(state, next_due=until)
    if state.status in _SET_ASIDE:
        return _good(state)
    return sleeping(state, schedule, until, None)


def _stopped(state: JobState) -> JobState:
    if state.status is JobStatus.INVALID:
        return replace(state, next_due=None)
    if state.status in _SET_ASIDE:
        return _good(state)
    return replace(state, status=JobStatus.STOPPED, reason=STOPPED_REASON, next_due=None, error=None)


def _exited(state: JobState) -> JobState:
    if not state.active:
        return state
    off = _off(state, EXIT_REASON)
    return off if off.status is JobStatus.INVALID else replace(off, error=None)


def _failed(state: JobState, error: str, reason: str | None = None) -> JobState:
    off = _off(state, reason or first_line(error))
    return off if off.status is JobStatus.INVALID else replace(off, error=error)


def _off(state: JobState, reason: str) -> JobState:
    """Return the job inactive; one whose file is bad shows that, and is inactive once the file is good."""
    off = replace(state, active=False, armed=False, next_due=None)
    if state.status is JobStatus.INVALID:
        return off
    return replace(off, status=JobStatus.INACTIVE, reason=reason)


def _once_behind(state: JobState, session: int) -> JobState:
    if state.status in (JobStatus.INACTIVE, JobStatus.INVALID):
        return replace(state, next_due=None, once_session=session)
    return once_done(state, session)


def _good(state: JobState) -> JobState:
    """Return the job without its last error, unless that is why it does not run."""
    if state.error is None or state.status in (JobStatus.INACTIVE, JobStatus.INVALID):
        return state
    return replace(state, error=None)
