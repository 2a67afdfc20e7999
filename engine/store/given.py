"""Reading schedules given at run time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, Select, and_, case, exists, func, literal, or_, select

from engine.states import ScheduleStatus
from engine.store.models import GIVEN_SCHEDULE, PLANNED_RUN
from engine.store.queries import planned_run, reading, select_planned_runs
from engine.store.rows import GivenSchedule, PlannedRun

_GIVEN = GIVEN_SCHEDULE.c
_TO_COME = exists().where(PLANNED_RUN.c.schedule_id == _GIVEN.id)

#: A schedule for a single run is over while no run of it is to come.
_STATUS = case(
    (
        and_(_GIVEN.status == ScheduleStatus.ACTIVE.value, _GIVEN.rule.is_(None), ~_TO_COME),
        literal(ScheduleStatus.OVER.value),
    ),
    else_=_GIVEN.status,
)
_IN_FORCE = and_(_GIVEN.status == ScheduleStatus.ACTIVE.value, or_(_GIVEN.rule.is_not(None), _TO_COME))
_ROW = select(
    *((_STATUS.label("status") if name == "status" else _GIVEN[name]) for name in GivenSchedule.__slots__)
)


class GivenQueries:
    """Questions about given schedules; all of them block as those of `Queries` do."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def one(self, schedule_id: int) -> GivenSchedule | None:
        """Return a schedule, or None."""
        return next(iter(self._given(_ROW.where(_GIVEN.id == schedule_id))), None)

    def repeating(self) -> list[GivenSchedule]:
        """Return all schedules that are due again and again and have not ended."""
        active = (_GIVEN.status == ScheduleStatus.ACTIVE.value, _GIVEN.rule.is_not(None))
        return self._given(_ROW.where(*active).order_by(_GIVEN.id))

    def find(
        self,
        *,
        job: str | None = None,
        user_id: int | None = None,
        ended: bool = False,
        before_id: int | None = None,
        limit: int = 50,
    ) -> list[GivenSchedule]:
        """Return schedules, the newest first.

        Args:
            job: only those of this job.
            user_id: only those for this user.
            ended: also those that are over or were cancelled.
            before_id: only those with an id below this one, for paging.
        """
        query = _ROW.order_by(_GIVEN.id.desc()).limit(limit)
        if job is not None:
            query = query.where(_GIVEN.job == job)
        if user_id is not None:
            query = query.where(_GIVEN.user_id == user_id)
        if not ended:
            query = query.where(_IN_FORCE)
        if before_id is not None:
            query = query.where(_GIVEN.id < before_id)
        return self._given(query)

    def next_id(self) -> int:
        """Return an id above those of all schedules there are."""
        with reading(self._reader) as connection:
            return int(connection.scalar(select(func.max(_GIVEN.id))) or 0) + 1

    def planned(self, run_ids: Collection[int]) -> list[PlannedRun]:
        """Return some runs to come, those that are there."""
        with reading(self._reader) as connection:
            rows = list(connection.execute(select_planned_runs().where(PLANNED_RUN.c.id.in_(run_ids))))
        return [planned_run(row) for row in rows]

    def _given(self, query: Select[Any]) -> list[GivenSchedule]:
        with reading(self._reader) as connection:
            rows = list(connection.execute(query))
        return [_schedule(row) for row in rows]


def _schedule(row: Any) -> GivenSchedule:
    given = GivenSchedule(*row)
    return replace(given, status=ScheduleStatus(given.status))
