"""When a failed run is tried again. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

from engine.jobs.jobfile import JobSettings
from engine.run import Outcome
from engine.states import FAILED, Returned, RunStatus
from engine.times.quantities import format_duration

UNLIMITED = "unlimited"

#: Attempts of one run that may crash their worker; the last of them puts the job into quarantine.
MOST_CRASHES = 3

#: No delay grows beyond this power of the backoff; the longest delay cuts it long before.
_MOST_DOUBLINGS = 60


def next_attempt(
    settings: JobSettings, outcome: Outcome, *, attempt: int, run_id: int, crashes: int = 0
) -> timedelta | None:
    """Return how long after a run's end it is tried again, or None if it is not.

    Errors, timeouts, crashes and `job.RETRY` are tried again while the job has retries left and is not in
    quarantine; what returned another code, and what somebody cancelled, is not. A delay beside `job.RETRY`
    stands for the job's own.

    Args:
        attempt: which attempt has ended; 1 for the first.
        run_id: of the run that has ended; its jitter depends on it.
        crashes: how many attempts crashed so far, this one included.
    """
    if outcome.status not in FAILED or is_quarantined(crashes) or not has_retries(settings, attempt):
        return None
    if outcome.retry_seconds is not None:
        return timedelta(seconds=outcome.retry_seconds)
    growth = settings.retry_backoff ** min(attempt - 1, _MOST_DOUBLINGS)
    seconds = min(settings.retry_delay * growth, settings.retry_max_delay)
    return timedelta(seconds=seconds * (1 + settings.retry_jitter * _part(run_id)))


def has_retries(settings: JobSettings, attempt: int) -> bool:
    """Return whether a run may be tried again after this attempt."""
    return settings.retries == UNLIMITED or attempt <= int(settings.retries)


def crashes_with(outcome: Outcome, before: int) -> int:
    """Return how many attempts crashed, the one that ended so included."""
    return before + (outcome.status is RunStatus.CRASHED and not outcome.blameless)


def is_quarantined(crashes: int) -> bool:
    """Return whether so many attempts of one run have crashed that there are no more."""
    return crashes >= MOST_CRASHES


def in_words(
    outcome: Outcome, settings: JobSettings | None, *, attempt: int, delay: timedelta | None
) -> Outcome:
    """Return an outcome whose error says what becomes of `job.RETRY`; any other one as it is.

    Args:
        delay: when it is tried again, None if it is not.
    """
    if outcome.returned is not Returned.RETRY or outcome.status not in FAILED:
        return outcome
    if delay is not None:
        follows = f"; tried again in {format_duration(delay.total_seconds())}"
    elif settings is not None and has_retries(settings, attempt):
        follows = ", but the job is switched off"
    else:
        follows = f", but no retries are left: retries = {settings.retries if settings else 0} in core.job"
    return replace(outcome, error=f"{outcome.error}{follows}")


def _part(run_id: int) -> float:
    """Return a number from 0 to below 1 that looks random, and is the same for the same run."""
    return int.from_bytes(hashlib.sha256(str(run_id).encode()).digest()[:8], "big") / 2**64
