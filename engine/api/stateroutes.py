"""The routes about what jobs keep from one run to the next."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from engine.api.rights import FOR_OPERATORS
from engine.api.routes import FAILURES, Actor, Engine, JobName, answer
from engine.api.viewrouter import ViewRouter
from engine.views import StateView

Lasting = Annotated[bool, Query(description="What stays for good, not what goes when a run ends COMPLETE.")]

router = ViewRouter(prefix="/v1/state", responses=FAILURES, tags=["jobs"])


class StateBody(BaseModel):
    """What a job is to keep."""

    model_config = ConfigDict(extra="forbid")
    value: Any = Field(description="Any JSON but null.")

    @field_validator("value")
    @classmethod
    def _is_json(cls, value: Any) -> Any:
        json.dumps(value, allow_nan=False)
        return value


@router.get("/{name:path}", response_model=StateView, summary="What a job keeps")
async def get_state(engine: Engine, name: JobName, lasting: Lasting = False) -> Response:
    return answer(await engine.states.show(name, lasting=lasting))


@router.put(
    "/{name:path}",
    response_model=StateView,
    summary="Let a job keep another value",
    openapi_extra=FOR_OPERATORS,
)
async def put_state(
    engine: Engine, actor: Actor, name: JobName, body: StateBody, lasting: Lasting = False
) -> Response:
    return answer(await engine.states.set(name, body.value, lasting=lasting, actor=actor))


@router.delete(
    "/{name:path}",
    response_model=StateView,
    summary="Let a job keep nothing any more",
    openapi_extra=FOR_OPERATORS,
)
async def delete_state(engine: Engine, actor: Actor, name: JobName, lasting: Lasting = False) -> Response:
    return answer(await engine.states.clear(name, lasting=lasting, actor=actor))
