"""How programs without an event loop talk to an engine: the command line uses this and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self, TypeVar

from engine.api import calls
from engine.api.alertclient import AlertClient
from engine.api.answers import Source
from engine.api.auditclient import AuditClient
from engine.api.bulkclient import BulkClient
from engine.api.calls import Call
from engine.api.draftclient import DraftClient
from engine.api.events import EventReader
from engine.api.exchange import Exchange
from engine.api.historyclient import HistoryClient
from engine.api.holdclient import HoldClient
from engine.api.ledgerclient import LedgerClient
from engine.api.overrideclient import OverrideClient
from engine.api.overviewclient import OverviewClient
from engine.api.reloadclient import ReloadClient
from engine.api.scheduleclient import ScheduleClient
from engine.api.stateclient import StateClient
from engine.api.target import Target, failure_of, value_of
from engine.events import Event
from engine.runfilter import of_job
from engine.states import RunStatus
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


class Client(ScheduleClient):
    """Asks an engine, and waits for each answer.

    Every method raises the error that the operation raised in the engine, `EngineUnreachable` without an
    engine, and is described in `engine.api.operations`.
    """

    def __init__(
        self,
        place: Path | str,
        *,
        token: str | None = None,
        actor: str | None = None,
        ca_file: Path | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            place: the engine's socket (`engine.api.address.socket_in(home)`), or the URL of its TCP listener.
            token: what the TCP listener asks for.
            actor: who asks, for the audit table; user and host by default.
            ca_file: certificates (PEM) of the authorities to trust at an https URL; the machine's by default.

        Raises:
            SettingsError: the file of certificates cannot be used.
        """
        self._target = Target(place, token, actor, ca_file)
        self._exchange = Exchange(self._target)
        self.drafts = DraftClient(self._send)
        self.states = StateClient(self._send)
        self.overrides = OverrideClient(self._send)
        self.reloads = ReloadClient(self._send)
        self.overview = OverviewClient(self._send)
        self.ledger = LedgerClient(self._send)
        self.holds = HoldClient(self._send)
        self.history = HistoryClient(self._send)
        self.alerts = AlertClient(self._send)
        self.audit = AuditClient(self._send)
        self.bulk = BulkClient(self._send)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the engine's socket."""
        self._target.close()

    def status(self) -> EngineView:
        return self._send(calls.status())

    def me(self) -> CallerView:
        return self._send(calls.me())

    def jobs(self) -> list[JobView]:
        return self._send(calls.jobs())

    def job(self, name: str) -> JobView:
        return self._send(calls.job(name))

    def job_source(self, name: str) -> Source:
        return self._send(calls.job_source(name))

    def write_job(self, name: str, text: str, *, expected_hash: str | None, create: bool) -> JobView:
        return self._send(calls.write_job(name, text, expected_hash, create))

    def delete_job(self, name: str) -> None:
        self._send(calls.delete_job(name))

    def check(self, paths: list[str] | None = None) -> list[ProblemView]:
        return self._send(calls.check(paths))

    def run_job(self, name: str, *, data: Any = None, user_id: int = 0) -> RunView:
        return self._send(calls.run_job(name, data, user_id))

    def cancel(self, run_id: int, *, now: bool = False) -> RunView:
        return self._send(calls.cancel(run_id, now))

    def activate(self, name: str) -> JobView:
        return self._send(calls.activate(name))

    def deactivate(self, name: str) -> JobView:
        return self._send(calls.deactivate(name))

    def reload(self, name: str | None = None, *, override: bool = False) -> ReloadView:
        return self._send(calls.reload(name, override))

    def runs(
        self,
        *,
        job: str | None = None,
        status: RunStatus | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[RunView]:
        return self.history.find(of_job(job, status), before=before, limit=limit)

    def run(self, run_id: int) -> RunView:
        return self._send(calls.run(run_id))

    def log(self, run_id: int, *, after: int = 0, limit: int = 1000) -> list[LogLineView]:
        return self._send(calls.log(run_id, after, limit))

    def coming(
        self, *, job: str | None = None, since: datetime | None = None, count: int = 20
    ) -> list[ComingView]:
        return self._send(calls.coming(job, since, count))

    def plugins(self) -> list[PluginView]:
        return self._send(calls.plugins())

    def plugin(
        self,
        name: str,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask a route of a plugin, /v1/plugins/NAME/PATH, and return its answer as plain data."""
        return self._send(calls.plugin(name, path, method, params or {}, body))

    @contextmanager
    def events(self, *, job: str | None = None, run: int | None = None) -> Iterator[Iterator[Event]]:
        """Give an iterator of what happens from now on; it ends when the engine stops.

        `engine.api.events.Lagged` among the events says that some were dropped.

        Args:
            job: only events of this job.
            run: only events of this run.
        """
        with self._exchange.lines(calls.events(job, run)) as (answer, lines):
            if answer.status != HTTPStatus.OK:
                raise failure_of(answer.status, answer.content)
            reader = EventReader()
            yield (event for line in lines if (event := reader.feed(line)) is not None)

    def _send(self, call: Call[T]) -> T:
        answer = self._exchange.ask(call)
        return value_of(call, answer.status, answer.content)
