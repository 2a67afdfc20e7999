"""What runs may ask of other runs: `core.jobs` on the engine's side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec

from engine.calls.arguments import MISSING, WRONG_TYPE, holds_bytes
from engine.calls.core import RunInfo, RunStanding, ScheduleStanding
from engine.errors import CoreError, NotFound, Refused, RunNotFound, ScheduleEnded, ScheduleError, StoreError
from engine.runs.dispatcher import Dispatcher
from engine.runs.job import Job
from engine.runs.planner import Planner
from engine.runs.timetable import Timetable
from engine.sandbox.values import MAX_VALUE_BYTES, json_ready
from engine.states import FINAL, RunStatus, Trigger
from engine.store.queries import Queries
from engine.store.rows import GivenSchedule
from engine.views import RunView

#: Runs of one job that may wait at once before other runs can ask for no more.
MOST_WAITING = 1000

#: A run's data travels to it together with what else `job.run(run)` is told.
MAX_DATA_BYTES = MAX_VALUE_BYTES - 4096


class RunCalls:
    """Implements `engine.calls.core.RunControl`."""

    def __init__(
        self,
        *,
        find_job: Callable[[str], Job],
        dispatcher: Dispatcher,
        planner: Planner,
        timetable: Timetable,
        queries: Queries,
    ) -> None:
        """Make it of the parts that do the work.

        Args:
            find_job: gives a job by its name; raises JobNotFound.
        """
        self._find_job = find_job
        self._dispatcher = dispatcher
        self._planner = planner
        self._timetable = timetable
        self._queries = queries

    async def now(self, job: str, data: Any, *, by: RunInfo) -> int:
        """Run a job as soon as it may; return the run's id once its row is committed."""
        with _in_words_for_jobs():
            wanted = self._find_job(job)
            if self._dispatcher.gate.waiting_of(job) >= MOST_WAITING:
                raise Refused(f"{MOST_WAITING} runs of {job} wait already; try again later")
            run = await self._dispatcher.submit(
                wanted,
                trigger=Trigger.CALL,
                data=_checked(data),
                user_id=by.user_id,
                called_by=by.run_id,
            )
            return run.id

    async def at(self, due: datetime, job: str, data: Any, *, by: RunInfo) -> int:
        """Plan a run for a time to come, at once if it has passed; return its id once that is committed."""
        with _in_words_for_jobs():
            wanted = self._find_job(job)
            return await self._planner.plan(
                wanted, due, data=_checked(data), user_id=by.user_id, called_by=by.run_id
            )

    async def schedule(self, job: str, options: dict[str, Any], *, by: RunInfo) -> tuple[int, int | None]:
        """Give a job a schedule; return its id, and that of its run if it is for a single one."""
        with _in_words_for_jobs():
            wanted = self._find_job(job)
            data = _checked(options.get("data"))
            order = self._timetable.read(wanted, {"user_id": by.user_id, **options, "data": data})
            given = await self._timetable.give(
                wanted, order, created_by=f"job {by.job} in its run {by.run_id}", called_by=by.run_id
            )
        return given.id, given.last_run_id

    async def unschedule(self, schedule_id: int, *, by: RunInfo) -> bool:
        """End a schedule as CANCELLED; return False if it had ended already."""
        with _in_words_for_jobs():
            try:
                await self._timetable.remove(schedule_id, f"removed by job {by.job} in its run {by.run_id}")
            except ScheduleEnded:
                return False
            return True

    async def schedules(self, job: str, user_id: int | None) -> list[ScheduleStanding]:
        """Return the schedules of a job that are in force, the newest first."""
        with _in_words_for_jobs():
            self._find_job(job)
            found = await asyncio.to_thread(self._timetable.in_force, job, user_id)
        return [_schedule_standing(given) for given in found]

    async def schedule_standing(self, schedule_id: int) -> ScheduleStanding:
        """Return where a schedule stands."""
        with _in_words_for_jobs():
            return _schedule_standing(await asyncio.to_thread(self._timetable.one, schedule_id))

    async def cancel(self, run_id: int, *, by: RunInfo) -> bool:
        """End a planned, queued or running run as CANCELLED; return False if it had ended already."""
        with _in_words_for_jobs():
            present = await self._view(run_id)
            if RunStatus(present.status) in FINAL:
                return False
            try:
                words = f"cancelled by job {by.job} in its run {by.run_id}"
                # A run that cancels itself waits for its own end; there is nothing to give it time for.
                await self._planner.cancel(run_id, words, now=run_id == by.run_id)
            except RunNotFound:
                # It came to its end between the two looks.
                return False
            return True

    async def status(self, run_id: int) -> RunStanding:
        """Return where a run stands."""
        with _in_words_for_jobs():
            view = await self._view(run_id)
        return RunStanding(
            id=view.id,
            job=view.job,
            status=view.status,
            trigger=view.trigger,
            due=view.due,
            started=view.started,
            finished=view.finished,
            returned=view.returned,
            error=view.error,
        )

    async def _view(self, run_id: int) -> RunView:
        view = await asyncio.to_thread(self._queries.run, run_id)
        if view is None:
            raise RunNotFound(run_id)
        return view


def _schedule_standing(given: GivenSchedule) -> ScheduleStanding:
    return ScheduleStanding(
        id=given.id,
        job=given.job,
        status=given.status.value,
        schedule=given.words,
        due=given.due,
        user_id=given.user_id,
        tag=given.tag,
        data=given.data,
        last_run_id=given.last_run_id,
    )


@contextmanager
def _in_words_for_jobs() -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise CoreError(str(error), MISSING) from error
    except ScheduleError as error:
        raise CoreError(f"core.jobs.schedule: {error}", WRONG_TYPE) from error
    except Refused as error:
        raise CoreError(str(error)) from error
    except StoreError as error:
        raise CoreError("the engine's database cannot be used now; try again later") from error


def _checked(data: Any) -> Any:
    """Return a run's data as JSON gives it back."""
    if holds_bytes(data):
        raise CoreError("core.jobs: data holds text that is not UTF-8", WRONG_TYPE)
    plain = json_ready(data)
    if len(msgspec.msgpack.encode(plain)) > MAX_DATA_BYTES:
        raise CoreError(
            "core.jobs: data is larger than 1 MB; keep it with core.data and pass its id", WRONG_TYPE
        )
    return plain
