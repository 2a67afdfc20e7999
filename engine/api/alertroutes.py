"""The routes of the HTTP API about alerts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from engine.api.inputs import LARGEST
from engine.api.rights import FOR_OPERATORS
from engine.api.routes import FAILURES, Actor, Engine, answer
from engine.api.viewrouter import ViewRouter
from engine.views import AlertView

router = ViewRouter(prefix="/v1/alerts", responses=FAILURES, tags=["alerts"])

AlertId = Annotated[int, Path(description="The alert's id.", ge=1, le=LARGEST)]


class AckBody(BaseModel):
    """That somebody knows of an alert."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(default="", description="What others should know.", max_length=1000)


@router.get("", response_model=list[AlertView], summary="Alerts, the newest first")
async def list_alerts(
    engine: Engine,
    job: Annotated[str | None, Query(description="Only alerts of this job.")] = None,
    ended: Annotated[bool, Query(description="Also those that are over.")] = False,
    before: Annotated[int | None, Query(description="Only ids below this one.", ge=1, le=LARGEST)] = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=10_000)] = 50,
) -> Response:
    return answer(await engine.alerts.list(job=job, ended=ended, before=before, limit=limit))


@router.post(
    "/{alert_id}/ack",
    response_model=AlertView,
    summary="Say that you know of an alert",
    openapi_extra=FOR_OPERATORS,
)
async def ack_alert(engine: Engine, actor: Actor, alert_id: AlertId, body: AckBody | None = None) -> Response:
    return answer(await engine.alerts.ack(alert_id, note=body.note if body else "", actor=actor))
