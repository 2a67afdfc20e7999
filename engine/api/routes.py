"""The routes of the HTTP API: each turns one request into one operation, and its answer into JSON.

Names of jobs hold slashes, so a name is always the last part of a path: `/v1/sources/admin/cleanup`.

Answers are encoded straight from the views; the models named in the routes are for OpenAPI alone.
"""

from __future__ import annotations

import json
from types import GenericAlias
from typing import Annotated, Any, cast

import msgspec
from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator

from engine.api.answers import Source
from engine.api.failures import Failure
from engine.api.feed import EventStream, Feeds, Filter
from engine.api.guards import caller_of, require
from engine.api.inputs import LARGEST, Moment, Number
from engine.api.operations import Operations
from engine.api.rights import FOR_OPERATORS
from engine.api.viewrouter import ViewRouter, described
from engine.roles import Role
from engine.views import (
    CallerView,
    ComingView,
    EngineView,
    JobView,
    ListedJob,
    LogLineView,
    PluginView,
    ProblemView,
    ReloadView,
    RunView,
)

ACTOR_HEADER = "x-moontide-actor"
ACTOR_MAX_CHARACTERS = 100
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: The answers that are no successes, for OpenAPI.
FAILURES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": described(Failure), "description": "The request cannot be carried out as it is."},
    "5XX": {"model": described(Failure), "description": "The engine could not carry it out now."},
}

router = ViewRouter(prefix="/v1", responses=FAILURES)


def _listed_jobs() -> GenericAlias:
    """Return the type of a list of `ListedJob` for OpenAPI, which knows nothing of msgspec's structs."""
    fields: dict[str, Any] = {
        field.name: (field.type, _default(field)) for field in msgspec.structs.fields(ListedJob)
    }
    words = "What a list shows of a job; what is not there is as it is by default."
    return GenericAlias(list, (create_model("ListedJob", __doc__=words, **fields),))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.required:
        return ...
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


async def _operations(request: Request) -> Operations:
    return cast(Operations, request.app.state.operations)


async def _feeds(request: Request) -> Feeds:
    return cast(Feeds, request.app.state.feeds)


async def _actor(request: Request) -> str:
    """Return who asks: whose the token is, or what the client says of itself; and the way it came."""
    raw = request.headers.get(ACTOR_HEADER, "").encode("latin-1").decode("utf-8", "replace")
    said = "".join(c for c in raw if c.isprintable())[:ACTOR_MAX_CHARACTERS].strip()
    return caller_of(request.scope).actor(said)


Engine = Annotated[Operations, Depends(_operations)]
Actor = Annotated[str, Depends(_actor)]
JobName = Annotated[str, Path(description="The job's name, such as report or admin/cleanup.")]
RunId = Annotated[int, Path(description="The run's id.", ge=1, le=LARGEST)]


class RunRequestBody(BaseModel):
    """A run to start."""

    model_config = ConfigDict(extra="forbid")
    job: str = Field(description="The job's name.")
    data: Any = Field(default=None, description="What the job finds in `run.data`.")
    user_id: Number = Field(default=0, description="What the job finds in `run.user_id`.")

    @field_validator("data")
    @classmethod
    def _is_json(cls, value: Any) -> Any:
        # Python's reader takes NaN and Infinity, which are not JSON and which no answer could give back.
        json.dumps(value, allow_nan=False)
        return value


class WriteBody(BaseModel):
    """A job file's text."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(description="The whole file.")
    expected_hash: str | None = Field(
        default=None, description="SHA-256 of the text that you have seen; the write is refused on another."
    )
    create: bool = Field(default=False, description="Make a new file; without it the file must exist.")


class CheckBody(BaseModel):
    """Which files to check."""

    model_config = ConfigDict(extra="forbid")
    paths: list[str] | None = Field(default=None, description="Job files; all of the jobs folder without.")


class CancelBody(BaseModel):
    """How to cancel a run."""

    model_config = ConfigDict(extra="forbid")
    now: bool = Field(default=False, description="Leave it no time to come to its end by itself.")


class ReloadBody(BaseModel):
    """What to read again."""

    model_config = ConfigDict(extra="forbid")
    job: str | None = Field(default=None, description="One job; all of them without.")
    override: bool = Field(
        default=False, description="Take what the files say in the place of what operators changed."
    )


def _only(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """Return for OpenAPI a success that is no JSON; a class of the route would hold for failures too."""
    return {200: {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}}


def answer(value: object, status: int = 200) -> Response:
    """Return a value of views as a JSON response."""
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")


@router.get("/status", response_model=EngineView, summary="What the engine as a whole does", tags=["engine"])
async def get_status(engine: Engine) -> Response:
    return answer(engine.status())


@router.get("/me", response_model=CallerView, summary="Who you are to the engine", tags=["engine"])
async def get_caller(request: Request) -> Response:
    caller = caller_of(request.scope)
    return answer(CallerView(name=caller.name, role=caller.role.value, way=caller.way.value))


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    tags=["engine"],
    response_class=Response,
    responses=_only("text/plain", "Figures in the text format of Prometheus."),
)
async def get_metrics(engine: Engine) -> Response:
    return Response(engine.metrics(), media_type=METRICS_TYPE)


@router.get("/plugins", response_model=list[PluginView], summary="All plugins", tags=["engine"])
async def list_plugins(engine: Engine) -> Response:
    return answer(engine.plugins())


@router.get(
    "/events",
    summary="What happens, as it happens",
    description="Server-sent events; `event:` gives the kind, `data:` its fields as JSON. A comment comes "
    "every 15 s. `Lagged` says that you read too slowly and that events were dropped: fetch anew.",
    response_class=Response,
    responses=_only("text/event-stream", "Events, until the reader leaves or the engine stops."),
    tags=["engine"],
)
async def stream_events(
    feeds: Annotated[Feeds, Depends(_feeds)],
    job: Annotated[str | None, Query(description="Only events of this job.")] = None,
    run: Annotated[int | None, Query(description="Only events of this run.")] = None,
) -> Response:
    return EventStream(feeds, Filter(job=job, run=run))


@router.post(
    "/reload",
    response_model=ReloadView,
    summary="Read the jobs folder again",
    tags=["jobs"],
    openapi_extra=FOR_OPERATORS,
)
async def reload_jobs(
    request: Request, engine: Engine, actor: Actor, body: ReloadBody | None = None
) -> Response:
    wanted = body or ReloadBody()
    if wanted.override:
        require(request.scope, Role.ADMIN, "a reload that drops changed settings")
    return answer(await engine.reload(wanted.job, override=wanted.override, actor=actor))


@router.post(
    "/check", response_model=list[ProblemView], summary="What is wrong with job files", tags=["jobs"]
)
async def check_files(engine: Engine, body: CheckBody | None = None) -> Response:
    return answer(await engine.check(body.paths if body else None))


@router.get("/jobs", response_model=list[JobView], summary="All jobs", tags=["jobs"])
async def list_jobs(engine: Engine) -> Response:
    return answer(engine.jobs())


@router.get(
    "/listed-jobs",
    response_model=_listed_jobs(),
    summary="All jobs, each with what a list shows, without what is as it is by default",
    tags=["jobs"],
)
async def list_listed_jobs(engine: Engine) -> Response:
    return answer(engine.listed_jobs())


@router.get("/coming", response_model=list[ComingView], summary="The next due times", tags=["jobs"])
async def list_coming(
    engine: Engine,
    job: Annotated[str | None, Query(description="Only those of this job.")] = None,
    since: Annotated[
        Moment | None, Query(description="Only from this moment on, with an offset; without it, now.")
    ] = None,
    count: Annotated[int, Query(description="At most so many.", ge=1, le=10_000)] = 20,
) -> Response:
    return answer(engine.coming(job=job, since=since, count=count))


@router.get("/jobs/{name:path}", response_model=JobView, summary="One job", tags=["jobs"])
async def get_job(engine: Engine, name: JobName) -> Response:
    return answer(engine.job(name))


@router.delete("/jobs/{name:path}", status_code=204, summary="Delete a job's file", tags=["jobs"])
async def delete_job(engine: Engine, actor: Actor, name: JobName) -> Response:
    await engine.delete_job(name, actor=actor)
    return Response(status_code=204)


@router.get("/sources/{name:path}", response_model=Source, summary="A job's file", tags=["jobs"])
async def get_source(engine: Engine, name: JobName) -> Response:
    text, source_hash = await engine.job_source(name)
    return answer(Source(text=text, hash=source_hash))


@router.put("/sources/{name:path}", response_model=JobView, summary="Write a job's file", tags=["jobs"])
async def put_source(engine: Engine, actor: Actor, name: JobName, body: WriteBody) -> Response:
    view = await engine.write_job(
        name, body.text, expected_hash=body.expected_hash, create=body.create, actor=actor
    )
    return answer(view, 201 if body.create else 200)


@router.post(
    "/activate/{name:path}",
    response_model=JobView,
    summary="Switch a job on",
    tags=["jobs"],
    openapi_extra=FOR_OPERATORS,
)
async def activate_job(engine: Engine, actor: Actor, name: JobName) -> Response:
    return answer(await engine.activate(name, actor=actor))


@router.post(
    "/deactivate/{name:path}",
    response_model=JobView,
    summary="Switch a job off",
    tags=["jobs"],
    openapi_extra=FOR_OPERATORS,
)
async def deactivate_job(engine: Engine, actor: Actor, name: JobName) -> Response:
    return answer(await engine.deactivate(name, actor=actor))


@router.post(
    "/runs",
    status_code=202,
    response_model=RunView,
    summary="Run a job now",
    tags=["runs"],
    openapi_extra=FOR_OPERATORS,
)
async def start_run(engine: Engine, actor: Actor, body: RunRequestBody) -> Response:
    view = await engine.run_job(body.job, data=body.data, user_id=body.user_id, actor=actor)
    return answer(view, 202)


@router.get("/runs/{run_id}", response_model=RunView, summary="One run", tags=["runs"])
async def get_run(engine: Engine, run_id: RunId) -> Response:
    return answer(await engine.run(run_id))


@router.get("/runs/{run_id}/log", response_model=list[LogLineView], summary="A run's log", tags=["runs"])
async def get_log(
    engine: Engine,
    run_id: RunId,
    after: Annotated[int, Query(description="Only lines with a number above this.", ge=0, le=LARGEST)] = 0,
    limit: Annotated[int, Query(description="At most so many.", ge=1, le=10_000)] = 1000,
) -> Response:
    return answer(await engine.log(run_id, after=after, limit=limit))


@router.post(
    "/runs/{run_id}/cancel",
    response_model=RunView,
    summary="Cancel a run",
    tags=["runs"],
    openapi_extra=FOR_OPERATORS,
)
async def cancel_run(engine: Engine, actor: Actor, run_id: RunId, body: CancelBody | None = None) -> Response:
    return answer(await engine.cancel(run_id, now=body.now if body else False, actor=actor))
