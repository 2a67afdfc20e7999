"""Each request of the API as a value, so that both clients send the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from engine.api.answers import Source
from engine.views import (
    CallerView,
    ComingView,
    EngineView,
    JobView,
    LogLineView,
    PluginView,
    ProblemView,
    ReloadView,
    RunView,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and what its answer is made into."""

    method: str
    path: str
    answer: type[T]
    params: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = None

    def content(self) -> bytes | None:
        """Return the body as JSON."""
        return None if self.body is None else msgspec.json.encode(self.body)

    def decode(self, content: bytes) -> T:
        """Return the answer's value; an answer without content is None."""
        return msgspec.json.decode(content or b"null", type=self.answer)


def given(**params: Any) -> dict[str, Any]:
    """Return parameters without those that are None."""
    return {name: value for name, value in params.items() if value is not None}


def named(kind: str, name: str) -> str:
    """Return the path of something that belongs to a job."""
    return f"/v1/{kind}/{quote(name, safe='')}"


def status() -> Call[EngineView]:
    return Call("GET", "/v1/status", EngineView)


def me() -> Call[CallerView]:
    return Call("GET", "/v1/me", CallerView)


def plugins() -> Call[list[PluginView]]:
    return Call("GET", "/v1/plugins", list[PluginView])


def plugin(
    name: str, path: str, method: str, params: Mapping[str, Any], body: Mapping[str, Any] | None
) -> Call[Any]:
    where = f"{named('plugins', name)}/{path.lstrip('/')}"
    return Call(method, where, Any, given(**params), None if body is None else dict(body))


def events(job: str | None, run: int | None) -> Call[None]:
    return Call("GET", "/v1/events", type(None), given(job=job, run=run))


def reload(name: str | None, override: bool) -> Call[ReloadView]:
    return Call("POST", "/v1/reload", ReloadView, body={"job": name, "override": override})


def check(paths: list[str] | None) -> Call[list[ProblemView]]:
    return Call("POST", "/v1/check", list[ProblemView], body={"paths": paths})


def jobs() -> Call[list[JobView]]:
    return Call("GET", "/v1/jobs", list[JobView])


def coming(job: str | None, since: datetime | None, count: int) -> Call[list[ComingView]]:
    params = given(job=job, since=since.isoformat() if since else None, count=count)
    return Call("GET", "/v1/coming", list[ComingView], params)


def job(name: str) -> Call[JobView]:
    return Call("GET", named("jobs", name), JobView)


def delete_job(name: str) -> Call[None]:
    return Call("DELETE", named("jobs", name), type(None))


def job_source(name: str) -> Call[Source]:
    return Call("GET", named("sources", name), Source)


def write_job(name: str, text: str, expected_hash: str | None, create: bool) -> Call[JobView]:
    body = {"text": text, "expected_hash": expected_hash, "create": create}
    return Call("PUT", named("sources", name), JobView, body=body)


def activate(name: str) -> Call[JobView]:
    return Call("POST", named("activate", name), JobView)


def deactivate(name: str) -> Call[JobView]:
    return Call("POST", named("deactivate", name), JobView)


def run_job(name: str, data: Any, user_id: int) -> Call[RunView]:
    return Call("POST", "/v1/runs", RunView, body={"job": name, "data": data, "user_id": user_id})


def run(run_id: int) -> Call[RunView]:
    return Call("GET", f"/v1/runs/{run_id}", RunView)


def log(run_id: int, after: int, limit: int) -> Call[list[LogLineView]]:
    return Call("GET", f"/v1/runs/{run_id}/log", list[LogLineView], {"after": after, "limit": limit})


def cancel(run_id: int, now: bool) -> Call[RunView]:
    return Call("POST", f"/v1/runs/{run_id}/cancel", RunView, body={"now": now})
