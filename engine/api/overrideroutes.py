"""The routes about settings that operators give jobs at run time."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from engine.api.routes import FAILURES, Actor, Engine, JobName, answer
from engine.api.viewrouter import ViewRouter
from engine.views import JobView

router = ViewRouter(prefix="/v1/overrides", responses=FAILURES, tags=["jobs"])


class OverrideBody(BaseModel):
    """Values that are to count instead of what the job's file says."""

    model_config = ConfigDict(extra="forbid")
    values: dict[str, Any] = Field(
        default_factory=dict, description="By setting; null for none, whatever the file says."
    )
    typed: dict[str, str] = Field(
        default_factory=dict,
        description="The same as somebody types them into a form; an empty text is none.",
    )

    @field_validator("values")
    @classmethod
    def _is_json(cls, value: dict[str, Any]) -> dict[str, Any]:
        json.dumps(value, allow_nan=False)
        return value


@router.patch("/{name:path}", response_model=JobView, summary="Change settings of a job")
async def set_overrides(engine: Engine, actor: Actor, name: JobName, body: OverrideBody) -> Response:
    return answer(await engine.overrides.set(name, body.values, body.typed, actor=actor))


@router.delete("/{name:path}", response_model=JobView, summary="Let the file's settings count again")
async def unset_overrides(
    engine: Engine,
    actor: Actor,
    name: JobName,
    setting: Annotated[list[str] | None, Query(description="Only these; all without.")] = None,
) -> Response:
    return answer(await engine.overrides.unset(name, setting or [], actor=actor))
