"""All that clients can ask of an engine, whether they wait for the answer or await it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.api import historyclient
from engine.api.alertclient import AlertClient
from engine.api.answers import Source
from engine.api.auditclient import AuditClient
from engine.api.bulkclient import BulkClient
from engine.api.calls import Call, S, asked, given, named
from engine.api.draftclient import DraftClient
from engine.api.historyclient import HistoryClient
from engine.api.holdclient import HoldClient
from engine.api.ledgerclient import LedgerClient
from engine.api.nodeclient import NodeClient
from engine.api.overrideclient import OverrideClient
from engine.api.overviewclient import OverviewClient
from engine.api.reloadclient import ReloadClient
from engine.api.scheduleclient import ScheduleClient
from engine.api.stateclient import StateClient
from engine.runfilter import of_job
from engine.states import RunStatus
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


class Requests(ScheduleClient[S]):
    """What `Client` and `AsyncClient` have in common.

    Every method raises the error that the operation raised in the engine, `EngineUnreachable` without an
    engine, and is described in `engine.api.operations`.
    """

    def __init__(self, send: S) -> None:
        """Prepare the requests; `send` is a `Send` or an `AsyncSend`."""
        super().__init__(send)
        self.drafts = DraftClient(send)
        self.states = StateClient(send)
        self.overrides = OverrideClient(send)
        self.reloads = ReloadClient(send)
        self.overview = OverviewClient(send)
        self.ledger = LedgerClient(send)
        self.holds = HoldClient(send)
        self.history = HistoryClient(send)
        self.alerts = AlertClient(send)
        self.audit = AuditClient(send)
        self.bulk = BulkClient(send)
        self.nodes = NodeClient(send)

    @asked
    def status(self) -> Call[EngineView]:
        return Call("GET", "/v1/status", EngineView)

    @asked
    def me(self) -> Call[CallerView]:
        return Call("GET", "/v1/me", CallerView)

    @asked
    def jobs(self) -> Call[list[JobView]]:
        return Call("GET", "/v1/jobs", list[JobView])

    @asked
    def listed_jobs(self) -> Call[list[ListedJob]]:
        """Return of all jobs what a list shows."""
        return Call("GET", "/v1/listed-jobs", list[ListedJob])

    @asked
    def job(self, name: str) -> Call[JobView]:
        return Call("GET", named("jobs", name), JobView)

    @asked
    def job_source(self, name: str) -> Call[Source]:
        return Call("GET", named("sources", name), Source)

    @asked
    def write_job(self, name: str, text: str, *, expected_hash: str | None, create: bool) -> Call[JobView]:
        body = {"text": text, "expected_hash": expected_hash, "create": create}
        return Call("PUT", named("sources", name), JobView, body=body)

    @asked
    def delete_job(self, name: str) -> Call[None]:
        return Call("DELETE", named("jobs", name), type(None))

    @asked
    def check(self, paths: list[str] | None = None) -> Call[list[ProblemView]]:
        return Call("POST", "/v1/check", list[ProblemView], body={"paths": paths})

    @asked
    def run_job(self, name: str, *, data: Any = None, user_id: int = 0) -> Call[RunView]:
        return Call("POST", "/v1/runs", RunView, body={"job": name, "data": data, "user_id": user_id})

    @asked
    def cancel(self, run_id: int, *, now: bool = False) -> Call[RunView]:
        return Call("POST", f"/v1/runs/{run_id}/cancel", RunView, body={"now": now})

    @asked
    def activate(self, name: str) -> Call[JobView]:
        return Call("POST", named("activate", name), JobView)

    @asked
    def deactivate(self, name: str) -> Call[JobView]:
        return Call("POST", named("deactivate", name), JobView)

    @asked
    def reload(self, name: str | None = None, *, override: bool = False) -> Call[ReloadView]:
        return Call("POST", "/v1/reload", ReloadView, body={"job": name, "override": override})

    @asked
    def runs(
        self,
        *,
        job: str | None = None,
        status: RunStatus | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Call[list[RunView]]:
        return historyclient.find(of_job(job, status), before, limit)

    @asked
    def run(self, run_id: int) -> Call[RunView]:
        return Call("GET", f"/v1/runs/{run_id}", RunView)

    @asked
    def log(self, run_id: int, *, after: int = 0, limit: int = 1000) -> Call[list[LogLineView]]:
        return Call("GET", f"/v1/runs/{run_id}/log", list[LogLineView], {"after": after, "limit": limit})

    @asked
    def coming(
        self, *, job: str | None = None, since: datetime | None = None, count: int = 20
    ) -> Call[list[ComingView]]:
        return Call("GET", "/v1/coming", list[ComingView], given(job=job, since=since, count=count))

    @asked
    def plugins(self) -> Call[list[PluginView]]:
        return Call("GET", "/v1/plugins", list[PluginView])

    @asked
    def plugin(
        self,
        name: str,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Call[Any]:
        """Ask a route of a plugin, /v1/plugins/NAME/PATH, and return its answer as plain data."""
        where = f"{named('plugins', name)}/{path.lstrip('/')}"
        return Call(method, where, Any, given(**(params or {})), None if body is None else dict(body))


def events(job: str | None, run: int | None) -> Call[None]:
    return Call("GET", "/v1/events", type(None), given(job=job, run=run))
