"""When a failed run is tried again. Pure."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from engine.jobfile import JobSettings
from engine.run import Outcome
from engine.states import FAILED

UNLIMITED = "unlimited"

#: No delay grows beyond this power of the backoff; the longest delay cuts it long before.
_MOST_DOUBLINGS = 60


def next_attempt(settings: JobSettings, outcome: Outcome, *, attempt: int, run_id: int) -> timedelta | None:
    """Return how long after a run's end it is tried again, or None if it is not.

    Errors, timeouts and crashes are tried again while the job has retries left; what returned a code, and
    what somebody cancelled, is not.

    Args:
        attempt: which attempt has ended; 1 for the first.
        run_id: of the run that has ended; its jitter depends on it.
    """
    if outcome.status not in FAILED:
        return None
    if settings.retries != UNLIMITED and attempt > int(settings.retries):
        return None
    growth = settings.retry_backoff ** min(attempt - 1, _MOST_DOUBLINGS)
    seconds = min(settings.retry_delay * growth, settings.retry_max_delay)
    return timedelta(seconds=seconds * (1 + settings.retry_jitter * _part(run_id)))


def _part(run_id: int) -> float:
    """Return a number from 0 to below 1 that looks random, and is the same for the same run."""
    return int.from_bytes(hashlib.sha256(str(run_id).encode()).digest()[:8], "big") / 2**64
