"""The routes about schedules given at run time."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from engine.api.inputs import LARGEST, Number
from engine.api.rights import FOR_OPERATORS
from engine.api.routes import FAILURES, Actor, Engine, answer
from engine.api.viewrouter import ViewRouter
from engine.views import ScheduleView

router = ViewRouter(prefix="/v1", responses=FAILURES, tags=["schedules"])

ScheduleId = Annotated[int, Path(description="The schedule's id.", ge=1, le=LARGEST)]


class ScheduleBody(BaseModel):
    """A schedule to give; exactly one of `cron`, `every`, `at` and `after` says when.

    A kind of schedule that a plugin adds, such as `monthly`, may stand in their place.
    """

    model_config = ConfigDict(extra="allow")
    job: str = Field(description="The job's name.")
    cron: str | list[str] | None = Field(default=None, description="A cron line, or several.")
    every: float | str | None = Field(default=None, description='An interval, such as "2m".')
    at: float | str | None = Field(
        default=None, description="A single run at this time: ISO 8601, or seconds since 1970."
    )
    after: float | str | None = Field(default=None, description='A single run after a time such as "10m".')
    timezone: str | None = Field(default=None, description="An IANA name; the job's without.")
    dst: str | None = Field(default=None, description="What a change of the clocks means: once, skip, both.")
    starts: str | None = Field(default=None, description="It is not due before this date.")
    expires: str | None = Field(default=None, description="It is not due at or after this date.")
    jitter: float | str | None = Field(default=None, description="Moves its due times by a part of this.")
    user_id: Number = Field(default=0, description="What the job finds in `run.user_id`.")
    data: Any = Field(default=None, description="What the job finds in `run.data`.")
    tag: str | None = Field(default=None, description="Tells it from others of the same job and user.")
    retries: int | str | None = Field(default=None, description="Instead of the job's own setting.")
    retry_delay: float | str | None = Field(default=None, description="Instead of the job's own setting.")
    remove_after: float | str | None = Field(
        default=None, description="Its COMPLETE runs are removed after this time."
    )
    run_skipped: bool | None = Field(
        default=None, description="Whether one run makes up for times that passed; the job's own setting."
    )

    @field_validator("data")
    @classmethod
    def _is_json(cls, value: Any) -> Any:
        # Python's reader takes NaN and Infinity, which are not JSON and which no answer could give back.
        json.dumps(value, allow_nan=False)
        return value


@router.post(
    "/schedules",
    status_code=201,
    response_model=ScheduleView,
    summary="Give a job a schedule",
    openapi_extra=FOR_OPERATORS,
)
async def add_schedule(engine: Engine, actor: Actor, body: ScheduleBody) -> Response:
    options = body.model_dump(exclude={"job"})
    return answer(await engine.schedules.add(body.job, options, actor=actor), 201)


@router.get("/schedules", response_model=list[ScheduleView], summary="Given schedules, the newest first")
async def list_schedules(
    engine: Engine,
    job: Annotated[str | None, Query(description="Only those of this job.")] = None,
    user_id: Annotated[Number | None, Query(description="Only those for this user.")] = None,
    ended: Annotated[bool, Query(description="Also those that are over or were cancelled.")] = False,
    before: Annotated[int | None, Query(description="Only ids below this one.", ge=1, le=LARGEST)] = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=10_000)] = 50,
) -> Response:
    found = await engine.schedules.find(job=job, user_id=user_id, ended=ended, before=before, limit=limit)
    return answer(found)


@router.get("/schedules/{schedule_id}", response_model=ScheduleView, summary="One given schedule")
async def get_schedule(engine: Engine, schedule_id: ScheduleId) -> Response:
    return answer(await engine.schedules.one(schedule_id))


@router.delete(
    "/schedules/{schedule_id}",
    response_model=ScheduleView,
    summary="Take a schedule back",
    openapi_extra=FOR_OPERATORS,
)
async def remove_schedule(engine: Engine, actor: Actor, schedule_id: ScheduleId) -> Response:
    return answer(await engine.schedules.remove(schedule_id, actor=actor))
