"""The route about what a reload would change."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from engine.api.routes import FAILURES, Engine, answer
from engine.api.viewrouter import ViewRouter
from engine.views import ReloadPlanView

router = ViewRouter(prefix="/v1", responses=FAILURES, tags=["jobs"])


@router.get("/reload-plan", response_model=ReloadPlanView, summary="What a reload would change")
async def plan_reload(
    engine: Engine,
    job: Annotated[str | None, Query(description="Of one job; of all of them without.")] = None,
    override: Annotated[
        bool, Query(description="As if it took what the files say in the place of what operators changed.")
    ] = False,
) -> Response:
    return answer(await engine.reloads.plan(job, override=override))
