"""What operators may ask about the state that jobs keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine.desks.audit import audit_entry
from engine.errors import Refused
from engine.runs.job import Job
from engine.store.jobstates import JobStates
from engine.times.clock import Clock
from engine.times.quantities import format_size
from engine.views import StateView


class StateDesk:
    """Answers the API's requests about state (see `engine.api.operations.StateOperations`)."""

    def __init__(
        self, *, clock: Clock, find_job: Callable[[str], Job], states: JobStates, most_bytes: int
    ) -> None:
        """Make a desk.

        Args:
            find_job: gives a job by its name; raises JobNotFound.
            most_bytes: the size of a value as JSON.
        """
        self._clock = clock
        self._find_job = find_job
        self._states = states
        self._most_bytes = most_bytes

    async def show(self, name: str, *, lasting: bool) -> StateView:
        """Return what a job keeps from one run to the next."""
        return await self._states.view(self._find_job(name).name, lasting=lasting)

    async def set(self, name: str, value: Any, *, lasting: bool, actor: str) -> StateView:
        """Let a job keep another value."""
        if value is None:
            raise Refused("null keeps nothing; clear the state instead")
        size = len(msgspec.json.encode(value))
        if size > self._most_bytes:
            most = format_size(self._most_bytes)
            raise Refused(f"the value has {size} bytes as JSON; {most} are allowed (limits.result)")
        return await self._change(name, value, lasting, "set", actor)

    async def clear(self, name: str, *, lasting: bool, actor: str) -> StateView:
        """Let a job keep nothing any more."""
        return await self._change(name, None, lasting, "clear", actor)

    async def _change(self, name: str, value: Any, lasting: bool, verb: str, actor: str) -> StateView:
        before = await self.show(name, lasting=lasting)
        action = f"{verb} persistent state" if lasting else f"{verb} state"
        entry = audit_entry(self._clock.now(), actor, action, name, before.value, value)
        await self._states.keep(name, value, lasting=lasting, audit=entry)
        return await self.show(name, lasting=lasting)
