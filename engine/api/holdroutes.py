"""The routes about groups and pauses."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field

from engine.api.inputs import Moment
from engine.api.rights import FOR_OPERATORS
from engine.api.routes import FAILURES, Actor, Engine, answer
from engine.api.viewrouter import ViewRouter
from engine.rules.holds import HoldScope
from engine.views import GroupView, HoldView

LONGEST_NOTE = 500


Note = Annotated[str, Field(max_length=LONGEST_NOTE, description="Why, for those who wonder.")]


class GroupBody(BaseModel):
    """What becomes of a group."""

    model_config = ConfigDict(extra="forbid")
    group: str = Field(description="The group's name.")
    enabled: bool = Field(description="Whether its jobs may run.")
    note: Note = ""


class TargetBody(BaseModel):
    """What is resumed."""

    model_config = ConfigDict(extra="forbid")
    scope: HoldScope = Field(description="A job, a group or the engine.")
    target: str = Field(default="", description="The name of the job or group; empty for the engine.")
    note: Note = ""


class PauseBody(TargetBody):
    """What is paused."""

    until: Moment | None = Field(
        default=None, description="When the pause ends by itself, with an offset; without it, never."
    )


router = ViewRouter(prefix="/v1", responses=FAILURES, tags=["jobs"])


@router.get("/groups", response_model=list[GroupView], summary="All groups of jobs")
async def list_groups(engine: Engine) -> Response:
    return answer(engine.holds.groups())


@router.get("/groups/{name:path}", response_model=GroupView, summary="One group of jobs")
async def get_group(engine: Engine, name: Annotated[str, Path(description="The group's name.")]) -> Response:
    return answer(engine.holds.group(name))


@router.post(
    "/groups", response_model=GroupView, summary="Enable or disable a group", openapi_extra=FOR_OPERATORS
)
async def switch_group(engine: Engine, actor: Actor, body: GroupBody) -> Response:
    switch = engine.holds.enable_group if body.enabled else engine.holds.disable_group
    return answer(await switch(body.group, note=body.note, actor=actor))


@router.get("/holds", response_model=list[HoldView], summary="All disabled groups and pauses")
async def list_holds(engine: Engine) -> Response:
    return answer(engine.holds.holds())


@router.post(
    "/pause",
    response_model=HoldView,
    summary="Pause a job, a group or the engine",
    openapi_extra=FOR_OPERATORS,
)
async def pause(engine: Engine, actor: Actor, body: PauseBody) -> Response:
    view = await engine.holds.pause(body.scope, body.target, until=body.until, note=body.note, actor=actor)
    return answer(view)


@router.post("/resume", response_model=HoldView, summary="End a pause", openapi_extra=FOR_OPERATORS)
async def resume(engine: Engine, actor: Actor, body: TargetBody) -> Response:
    return answer(await engine.holds.resume(body.scope, body.target, note=body.note, actor=actor))
