"""What runs may ask about their own job, on the engine's side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.errors import CoreError, StoreError
from engine.store.jobstates import JobStates


class OwnJob:
    """Implements `engine.jobcontrol.JobControl`."""

    def __init__(self, *, states: JobStates) -> None:
        """Make it of the parts that do the work."""
        self._states = states

    async def state(self, job: str, *, lasting: bool) -> Any:
        """Return what the job keeps, None if that is nothing."""
        with _in_words_for_jobs():
            return (await self._states.view(job, lasting=lasting)).value

    async def keep_state(self, job: str, value: Any, *, lasting: bool, run_id: int) -> None:
        """Keep a value for the job's later runs; returns once it is durable."""
        with _in_words_for_jobs():
            await self._states.keep(job, value, lasting=lasting, run_id=run_id)


@contextmanager
def _in_words_for_jobs() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise CoreError("the engine's database cannot be used now; try again later") from error
