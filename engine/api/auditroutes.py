"""The route of the audit trail."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from engine.api.inputs import LARGEST, Moment
from engine.api.routes import FAILURES, Engine, answer
from engine.api.viewrouter import ViewRouter
from engine.views import AuditView

router = ViewRouter(prefix="/v1", responses=FAILURES, tags=["engine"])


@router.get("/audit", response_model=list[AuditView], summary="What operators did, the newest first")
async def list_actions(
    engine: Engine,
    since: Annotated[Moment | None, Query(description="From this time on, with an offset.")] = None,
    who: Annotated[
        str | None, Query(description="Only actions of this one: anna@web1, or anna for any host.")
    ] = None,
    target: Annotated[str | None, Query(description="Only what was done to this job, run or group.")] = None,
    before: Annotated[int | None, Query(description="Only ids below this one.", ge=1, le=LARGEST)] = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=10_000)] = 50,
) -> Response:
    return answer(await engine.audit.entries(since=since, who=who, target=target, before=before, limit=limit))
