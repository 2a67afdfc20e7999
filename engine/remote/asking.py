"""What a run on a worker asks of the engine: other runs, its own job, library modules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from engine.calls.core import RunInfo, RunStanding, ScheduleStanding

#: Asks the engine: a method with its arguments. Raises CoreError.
Ask = Callable[..., Awaitable[Any]]


class AskedRuns:
    """Implements `engine.calls.core.RunControl` by asking the engine."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def now(self, job: str, data: Any, *, by: RunInfo) -> int:
        """Run a job as soon as it may; return the run's id once its row is committed."""
        return int(await self._ask("now", job, data, by))

    async def at(self, due: datetime, job: str, data: Any, *, by: RunInfo) -> int:
        """Plan a run for a time to come, at once if it has passed; return its id once that is committed."""
        return int(await self._ask("at", due, job, data, by))

    async def cancel(self, run_id: int, *, by: RunInfo) -> bool:
        """End a planned, queued or running run as CANCELLED; return False if it had ended already."""
        return bool(await self._ask("cancel", run_id, by))

    async def status(self, run_id: int) -> RunStanding:
        """Return where a run stands."""
        return msgspec.convert(await self._ask("status", run_id), RunStanding)

    async def schedule(self, job: str, options: dict[str, Any], *, by: RunInfo) -> tuple[int, int | None]:
        """Give a job a schedule; return its id, and that of its run if it is for a single one."""
        schedule_id, run_id = await self._ask("schedule", job, options, by)
        return schedule_id, run_id

    async def unschedule(self, schedule_id: int, *, by: RunInfo) -> bool:
        """End a schedule as CANCELLED; return False if it had ended already."""
        return bool(await self._ask("unschedule", schedule_id, by))

    async def schedules(self, job: str, user_id: int | None) -> list[ScheduleStanding]:
        """Return the schedules of a job that are in force, the newest first."""
        return msgspec.convert(await self._ask("schedules", job, user_id), list[ScheduleStanding])

    async def schedule_standing(self, schedule_id: int) -> ScheduleStanding:
        """Return where a schedule stands."""
        return msgspec.convert(await self._ask("schedule_standing", schedule_id), ScheduleStanding)


class AskedJob:
    """Implements `engine.calls.jobcontrol.JobControl` by asking the engine."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def state(self, job: str, *, lasting: bool) -> Any:
        """Return what the job keeps, None if that is nothing."""
        return await self._ask("state", job, lasting)

    async def keep_state(self, job: str, value: Any, *, lasting: bool, run_id: int) -> None:
        """Keep a value for the job's later runs; returns once it is durable."""
        await self._ask("keep_state", job, value, lasting, run_id)

    async def next(self, job: str, when: datetime | timedelta) -> str | None:
        """Let the job be due once before its next due time; returns why not, or None once it is durable."""
        seconds = when.total_seconds() if isinstance(when, timedelta) else None
        why: str | None = await self._ask("next", job, when if seconds is None else seconds)
        return why
