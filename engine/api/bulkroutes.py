"""The route for one action on many jobs or runs."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from engine.api.holdroutes import Note
from engine.api.inputs import Moment, Number
from engine.api.rights import FOR_OPERATORS
from engine.api.routes import FAILURES, Actor, Engine, answer
from engine.api.viewrouter import ViewRouter
from engine.bulk import BulkAction, Chosen
from engine.views import BulkView

MOST_NAMED = 10_000

router = ViewRouter(prefix="/v1", responses=FAILURES, tags=["jobs"])


class BulkBody(BaseModel):
    """What is done, and to which jobs or runs."""

    model_config = ConfigDict(extra="forbid")
    action: BulkAction = Field(description="What is done to each.")
    names: list[str] = Field(default=[], max_length=MOST_NAMED, description="Jobs, by name or pattern.")
    runs: list[Number] = Field(default=[], max_length=MOST_NAMED, description="Runs by id, to cancel.")
    tags: dict[str, str] = Field(default={}, description="Only jobs with these tags; empty for any value.")
    group: str | None = Field(default=None, description="Only jobs of this group.")
    status: str | None = Field(default=None, description="Only jobs with this status.")
    data: Any = Field(default=None, description="What the runs find in `run.data`.")
    until: Moment | None = Field(default=None, description="When a pause ends by itself.")
    note: Note = ""

    @field_validator("data")
    @classmethod
    def _is_json(cls, value: Any) -> Any:
        json.dumps(value, allow_nan=False)
        return value

    def chosen(self) -> Chosen:
        """Return which jobs and runs are meant."""
        return Chosen(tuple(self.names), tuple(self.runs), self.tags, self.group, self.status)


@router.post(
    "/bulk",
    response_model=list[BulkView],
    summary="One action on many jobs or runs",
    openapi_extra=FOR_OPERATORS,
)
async def act_on_many(engine: Engine, actor: Actor, body: BulkBody) -> Response:
    results = await engine.bulk.act(
        body.action, body.chosen(), data=body.data, until=body.until, note=body.note, actor=actor
    )
    return answer(results)
