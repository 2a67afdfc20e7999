"""What a run may ask about its own job: what it keeps from run to run, and when it is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol


class JobControl(Protocol):
    """Answers a run about its job. Whatever cannot be done is a `CoreError` with words for the job."""

    async def state(self, job: str, *, lasting: bool) -> Any:
        """Return what the job keeps, None if that is nothing.

        Args:
            lasting: what stays for good, not what goes when a run ends COMPLETE.
        """

    async def keep_state(self, job: str, value: Any, *, lasting: bool, run_id: int) -> None:
        """Keep a value for the job's later runs, in place of what it keeps; returns once it is durable.

        Args:
            value: plain data; None keeps nothing any more.
            lasting: as for `state`.
            run_id: the run that asks.
        """

    async def next(self, job: str, when: datetime | timedelta) -> str | None:
        """Let the job be due once before its next due time; returns once that is durable.

        Args:
            when: aware, or from now on.

        Returns:
            why not, None if it is so.
        """


class LoneJob:
    """Stands for `JobControl` where one file runs without an engine: nothing outlives this value."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, bool], Any] = {}

    async def state(self, job: str, *, lasting: bool) -> Any:
        """Return what the job keeps, None if that is nothing."""
        return self._kept.get((job, lasting))

    async def keep_state(self, job: str, value: Any, *, lasting: bool, run_id: int) -> None:
        """Keep a value until the process ends."""
        self._kept[job, lasting] = value

    async def next(self, job: str, when: datetime | timedelta) -> str | None:
        """Answer that nothing is due here."""
        return "no engine is running"
