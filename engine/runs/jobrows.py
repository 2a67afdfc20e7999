"""A job between memory and the database: what is written of it, and what a start makes of that."""

from __future__ import annotations

from typing import Any

from engine.rules.lifecycle import JobState
from engine.runs.job import Job, LastRun, StoredJob
from engine.runs.ledger import hand_over
from engine.states import JobStatus, RunStatus
from engine.store.rows import JobPatch, JobRow, RunRow


def patch_of(job: Job) -> JobPatch:
    """Return what the database has to know of a job after its state or its last run changed.

    The slots that were noted of the job go with it, once, and so do the rows of runs whose due times were
    taken just now: a kill between two commits would lose those times. Whoever asks for a patch hands it to
    the journal.
    """
    state, last = job.state, job.last
    values: dict[str, Any] = {
        "status": state.status.value,
        "reason": state.reason,
        "active": state.active,
        "declared_active": state.declared_active,
        "armed": state.armed,
        "next_due": state.next_due,
        "error": state.error,
        "once_session": state.once_session,
        "schedule_key": state.schedule_key,
    }
    if last is not None:
        values |= {
            "last_run_id": last.id,
            "last_started": last.started,
            "last_status": last.status.value if last.status else None,
            "last_returned": last.returned,
        }
    return JobPatch(job.name, values, hand_over(job), _rows_owed(job))


def whole_patch_of(job: Job) -> JobPatch:
    """Return all that the database has to know of a job, as after a reload."""
    settings = job.settings.as_dict() if job.settings else None
    about_file = {
        "path": job.path,
        "present": True,
        "settings": settings,
        "source_hash": job.source_hash,
        "overrides": dict(job.overrides) or None,
    }
    patch = patch_of(job)
    return JobPatch(job.name, {**patch.values, **about_file}, patch.slots, patch.runs)


def is_stored(patch: JobPatch, stored: StoredJob | None) -> bool:
    """Return whether the database holds all that a patch says."""
    if stored is None or stored.row is None or patch.slots or patch.runs:
        return False
    return all(getattr(stored.row, name) == value for name, value in patch.values.items())


def removal_of(job: Job) -> JobPatch:
    """Return what the database has to know of a job whose file is gone."""
    gone = {"present": False, "overrides": dict(job.overrides) or None}
    return JobPatch(job.name, gone, hand_over(job))


def _rows_owed(job: Job) -> tuple[RunRow, ...]:
    if not job.owed:
        return ()
    owed, job.owed = job.owed, {}
    return tuple(make() for make in owed.values())


def stored_job(row: JobRow) -> StoredJob:
    """Return a job's row as the state and the last run that it holds."""
    state = JobState(
        status=JobStatus(row.status),
        reason=row.reason,
        active=row.active,
        next_due=row.next_due,
        error=row.error,
        once_session=row.once_session,
        declared_active=row.declared_active,
        armed=row.armed,
        schedule_key=row.schedule_key,
    )
    overrides = row.overrides or {}
    if row.last_run_id is None or row.last_started is None:
        return StoredJob(state, None, overrides, row.present, row)
    status = RunStatus(row.last_status) if row.last_status else None
    last = LastRun(row.last_run_id, row.last_started, status, row.last_returned)
    return StoredJob(state, last, overrides, row.present, row)
