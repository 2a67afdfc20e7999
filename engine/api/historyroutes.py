"""The routes of the HTTP API about runs of the past: lists, searches and counts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Response

from engine.api.inputs import LARGEST, Moment
from engine.api.routes import FAILURES, Engine, RunId, answer
from engine.api.viewrouter import ViewRouter
from engine.runfilter import RunFilter
from engine.states import RunStatus, Trigger
from engine.views import DiffView, FailuresView, RunSourceView, RunView, TimelineView

router = ViewRouter(prefix="/v1", responses=FAILURES, tags=["runs"])


async def _filter(
    job: Annotated[
        str | None, Query(description="Only runs of this job, or of those that fit a pattern: admin/*.")
    ] = None,
    status: Annotated[
        list[RunStatus] | None,
        Query(description="Only runs that stand there; may be given again. PLANNED ones need it."),
    ] = None,
    trigger: Annotated[
        list[Trigger] | None, Query(description="Only runs made for this reason; may be given again.")
    ] = None,
    since: Annotated[
        Moment | None, Query(description="Only runs made at this time or later, with an offset.")
    ] = None,
    until: Annotated[
        Moment | None, Query(description="Only runs made before this time, with an offset.")
    ] = None,
    tag: Annotated[
        str | None, Query(description="Only runs of jobs with this tag: its name, its value, or name=value.")
    ] = None,
    user_id: Annotated[
        int | None, Query(description="Only runs for this user.", ge=-LARGEST - 1, le=LARGEST)
    ] = None,
    text: Annotated[
        str | None,
        Query(description="Only ended runs with these words in their error or log.", max_length=1000),
    ] = None,
) -> RunFilter:
    return RunFilter(
        job=job,
        statuses=tuple(status or ()),
        triggers=tuple(trigger or ()),
        since=since,
        until=until,
        tag=tag,
        user_id=user_id,
        text=text,
    )


Wanted = Annotated[RunFilter, Depends(_filter)]


@router.get("/runs", response_model=list[RunView], summary="Runs, the newest first")
async def list_runs(
    engine: Engine,
    wanted: Wanted,
    before: Annotated[int | None, Query(description="Only ids below this one.", ge=1, le=LARGEST)] = None,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=10_000)] = 50,
) -> Response:
    return answer(await engine.history.find(wanted, before=before, limit=limit))


@router.get("/run-counts", response_model=dict[str, int], summary="How many runs, by status")
async def count_runs(engine: Engine, wanted: Wanted) -> Response:
    return answer(await engine.history.counts(wanted))


Since = Annotated[Moment, Query(description="Where the span begins, with an offset.")]
Until = Annotated[Moment, Query(description="Where it ends.")]
StepCount = Annotated[int, Query(description="So many steps of the same length it has.", ge=1, le=2000)]
MostJobs = Annotated[int, Query(description="At most so many jobs.", ge=1, le=10_000)]


@router.get("/run-timeline", response_model=TimelineView, summary="What ran when, in steps of time")
async def get_timeline(
    engine: Engine, since: Since, until: Until, steps: StepCount, jobs: MostJobs = 500
) -> Response:
    return answer(await engine.history.timeline(since, until, steps=steps, jobs=jobs))


@router.get("/run-failures", response_model=FailuresView, summary="How many runs failed, in steps of time")
async def get_failures(
    engine: Engine, since: Since, until: Until, steps: StepCount, jobs: MostJobs = 10
) -> Response:
    return answer(await engine.history.failures(since, until, steps=steps, jobs=jobs))


@router.get("/runs/{run_id}/source", response_model=RunSourceView, summary="The code that a run ran")
async def get_run_source(engine: Engine, run_id: RunId) -> Response:
    return answer(await engine.history.source(run_id))


@router.get("/runs/{run_id}/diff", response_model=DiffView, summary="What changed since a run's code")
async def get_diff(
    engine: Engine,
    run_id: RunId,
    other: Annotated[
        int | None,
        Query(description="The run to compare with; the files of now without it.", ge=1, le=LARGEST),
    ] = None,
) -> Response:
    return answer(await engine.history.diff(run_id, other))
