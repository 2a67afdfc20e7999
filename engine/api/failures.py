"""Errors on their way through the API: to JSON in the server, back to the same error in the client."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.errors import (
    CommitUnknown,
    EngineUnreachable,
    Forbidden,
    JobFileError,
    JobNotFound,
    MoontideError,
    NotFound,
    Refused,
    RunNotFound,
    ScheduleNotFound,
    SettingsError,
    StoreUnavailable,
)


@dataclass(frozen=True, slots=True)
class FailureDetail:
    """What went wrong.

    Attributes:
        code: the kind, for programs: job_not_found, run_not_found, schedule_not_found, not_found, refused,
            forbidden, bad_input, bad_settings, store_unavailable, commit_unknown, engine_unreachable,
            unauthorized, too_large, failed.
        message: what happened and what to do, for people.
        job: the name that no job has, with code job_not_found.
        nearest: names that are nearly that one.
        run: the id that no run has, with code run_not_found.
        schedule: the id that no schedule has, with code schedule_not_found.
    """

    code: str
    message: str
    job: str | None = None
    nearest: list[str] = field(default_factory=list)
    run: int | None = None
    schedule: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The body of every answer that is not a success."""

    error: FailureDetail


#: The first row whose class fits gives code and HTTP status; the most special come first.
_KINDS: tuple[tuple[type[MoontideError], str, int], ...] = (
    (JobNotFound, "job_not_found", 404),
    (RunNotFound, "run_not_found", 404),
    (ScheduleNotFound, "schedule_not_found", 404),
    (NotFound, "not_found", 404),
    (Refused, "refused", 409),
    (Forbidden, "forbidden", 403),
    (JobFileError, "bad_input", 422),
    (SettingsError, "bad_settings", 422),
    (CommitUnknown, "commit_unknown", 503),
    (StoreUnavailable, "store_unavailable", 503),
    (EngineUnreachable, "engine_unreachable", 503),
    (MoontideError, "failed", 500),
)


def describe(error: MoontideError) -> tuple[int, Failure]:
    """Return the HTTP status and the body for an error."""
    code, status = next((code, status) for kind, code, status in _KINDS if isinstance(error, kind))
    return status, Failure(
        FailureDetail(
            code=code,
            message=str(error),
            job=error.name if isinstance(error, JobNotFound) else None,
            nearest=error.nearest if isinstance(error, JobNotFound) else [],
            run=error.run_id if isinstance(error, RunNotFound) else None,
            schedule=error.schedule_id if isinstance(error, ScheduleNotFound) else None,
        )
    )


def rebuild(failure: Failure) -> MoontideError:
    """Return the error that `describe` was given, or a `MoontideError` for a code of a newer engine."""
    detail = failure.error
    if detail.code == "job_not_found" and detail.job is not None:
        return JobNotFound(detail.job, detail.nearest)
    if detail.code == "run_not_found" and detail.run is not None:
        return RunNotFound(detail.run)
    if detail.code == "schedule_not_found" and detail.schedule is not None:
        return ScheduleNotFound(detail.schedule)
    for kind, code, _ in _KINDS:
        if code == detail.code and kind not in (JobNotFound, RunNotFound, ScheduleNotFound):
            return kind(detail.message)
    return MoontideError(detail.message)
