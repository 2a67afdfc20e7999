"""The routes of the slot ledger: what became of planned times."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from engine.api.inputs import Moment
from engine.api.routes import FAILURES, Engine, JobName, answer
from engine.api.viewrouter import ViewRouter
from engine.views import SlotView, WhyView

router = ViewRouter(prefix="/v1", responses=FAILURES, tags=["jobs"])

SomeMoment = Annotated[Moment | None, Query(description="A time with an offset.")]


@router.get("/slots", response_model=list[SlotView], summary="What became of planned times, the latest first")
async def list_all_slots(
    engine: Engine,
    since: SomeMoment = None,
    until: SomeMoment = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=10_000)] = 50,
) -> Response:
    return answer(await engine.ledger.slots(None, since=since, until=until, limit=limit))


@router.get(
    "/slots/{name:path}",
    response_model=list[SlotView],
    summary="What became of a job's planned times, the latest first",
)
async def list_slots(
    engine: Engine,
    name: JobName,
    since: SomeMoment = None,
    until: SomeMoment = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=10_000)] = 50,
) -> Response:
    return answer(await engine.ledger.slots(name, since=since, until=until, limit=limit))


@router.get("/why/{name:path}", response_model=WhyView, summary="What became of one planned time")
async def get_why(
    engine: Engine,
    name: JobName,
    at: Annotated[Moment, Query(description="Look from this time on; with an offset.")],
    within_seconds: Annotated[float, Query(description="How far to look.", gt=0, le=3600)] = 60.0,
) -> Response:
    return answer(await engine.ledger.why(name, at=at, within_seconds=within_seconds))
