"""The ways to sort jobs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from engine.views import ListedJob
from tui.look import words

FAR = datetime.max.replace(tzinfo=UTC)

#: The ways to sort, in the order in which `s` goes through them; jobs that are equal go by their names.
SORTS: dict[str, Callable[[ListedJob, datetime], Any]] = {
    "attention": lambda job, now: 0 if words.needs_attention(job) else 1 if words.is_late(job, now) else 2,
    "name": lambda job, now: 0,
    "next": lambda job, now: job.next_run or FAR,
    "last": lambda job, now: -job.last_run.timestamp() if job.last_run else 0.0,
    "status": lambda job, now: job.status,
}
