"""How programs with an event loop talk to an engine: the dashboard uses this and nothing else.

For programs without one there is `Client`; both ask the same in the same words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from engine.api import calls
from engine.api.alertclient import AsyncAlertClient
from engine.api.answers import Source
from engine.api.auditclient import AsyncAuditClient
from engine.api.bulkclient import AsyncBulkClient
from engine.api.calls import Call
from engine.api.draftclient import AsyncDraftClient
from engine.api.events import EventReader
from engine.api.historyclient import AsyncHistoryClient
from engine.api.holdclient import AsyncHoldClient
from engine.api.ledgerclient import AsyncLedgerClient
from engine.api.overrideclient import AsyncOverrideClient
from engine.api.overviewclient import AsyncOverviewClient
from engine.api.reloadclient import AsyncReloadClient
from engine.api.scheduleclient import AsyncScheduleClient
from engine.api.stateclient import AsyncStateClient
from engine.api.syncclient import Client
from engine.api.target import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    JSON,
    STREAM_SECONDS,
    Target,
    failure_of,
    value_of,
)
from engine.errors import EngineUnreachable
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

__all__ = ["AsyncClient", "Client"]

T = TypeVar("T")


def _timeout(read_seconds: float) -> httpx.Timeout:
    return httpx.Timeout(read_seconds, connect=CONNECT_SECONDS)


def _transport(target: Target) -> httpx.AsyncHTTPTransport:
    # Where there is no TLS to check, loading the certificates would cost more time than the request.
    trusted = target.trusted() or False
    return httpx.AsyncHTTPTransport(uds=target.open_socket_path(), verify=trusted, trust_env=False)


class AsyncClient(AsyncScheduleClient):
    """`Client` for programs with an event loop, such as the dashboard."""

    def __init__(
        self,
        place: Path | str,
        *,
        token: str | None = None,
        actor: str | None = None,
        ca_file: Path | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet. The arguments are those of `Client`."""
        self._target = Target(place, token, actor, ca_file)
        self._http = httpx.AsyncClient(
            transport=_transport(self._target),
            base_url=self._target.base_url,
            headers=self._target.headers,
            timeout=_timeout(ANSWER_SECONDS),
            trust_env=False,
        )
        self.drafts = AsyncDraftClient(self._send)
        self.states = AsyncStateClient(self._send)
        self.overrides = AsyncOverrideClient(self._send)
        self.reloads = AsyncReloadClient(self._send)
        self.overview = AsyncOverviewClient(self._send)
        self.ledger = AsyncLedgerClient(self._send)
        self.holds = AsyncHoldClient(self._send)
        self.history = AsyncHistoryClient(self._send)
        self.alerts = AsyncAlertClient(self._send)
        self.audit = AsyncAuditClient(self._send)
        self.bulk = AsyncBulkClient(self._send)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        self._target.close()

    async def status(self) -> EngineView:
        return await self._send(calls.status())

    async def me(self) -> CallerView:
        return await self._send(calls.me())

    async def jobs(self) -> list[JobView]:
        return await self._send(calls.jobs())

    async def job(self, name: str) -> JobView:
        return await self._send(calls.job(name))

    async def job_source(self, name: str) -> Source:
        return await self._send(calls.job_source(name))

    async def write_job(self, name: str, text: str, *, expected_hash: str | None, create: bool) -> JobView:
        return await self._send(calls.write_job(name, text, expected_hash, create))

    async def delete_job(self, name: str) -> None:
        await self._send(calls.delete_job(name))

    async def check(self, paths: list[str] | None = None) -> list[ProblemView]:
        return await self._send(calls.check(paths))

    async def run_job(self, name: str, *, data: Any = None, user_id: int = 0) -> RunView:
        return await self._send(calls.run_job(name, data, user_id))

    async def cancel(self, run_id: int, *, now: bool = False) -> RunView:
        return await self._send(calls.cancel(run_id, now))

    async def activate(self, name: str) -> JobView:
        return await self._send(calls.activate(name))

    async def deactivate(self, name: str) -> JobView:
        return await self._send(calls.deactivate(name))

    async def reload(self, name: str | None = None, *, override: bool = False) -> ReloadView:
        return await self._send(calls.reload(name, override))

    async def runs(
        self,
        *,
        job: str | None = None,
        status: RunStatus | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[RunView]:
        return await self.history.find(of_job(job, status), before=before, limit=limit)

    async def run(self, run_id: int) -> RunView:
        return await self._send(calls.run(run_id))

    async def log(self, run_id: int, *, after: int = 0, limit: int = 1000) -> list[LogLineView]:
        return await self._send(calls.log(run_id, after, limit))

    async def coming(
        self, *, job: str | None = None, since: datetime | None = None, count: int = 20
    ) -> list[ComingView]:
        return await self._send(calls.coming(job, since, count))

    async def plugins(self) -> list[PluginView]:
        return await self._send(calls.plugins())

    async def plugin(
        self,
        name: str,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask a route of a plugin, /v1/plugins/NAME/PATH, and return its answer as plain data."""
        return await self._send(calls.plugin(name, path, method, params or {}, body))

    @asynccontextmanager
    async def events(
        self, *, job: str | None = None, run: int | None = None
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Give an iterator of what happens from now on, as `Client.events` does."""
        call = calls.events(job, run)
        self._target.require_socket()
        try:
            async with self._http.stream(
                call.method, call.path, params=call.params, timeout=_timeout(STREAM_SECONDS)
            ) as response:
                if not response.is_success:
                    raise failure_of(response.status_code, await response.aread())
                yield self._read(response)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    async def _read(self, response: httpx.Response) -> AsyncIterator[Event]:
        reader = EventReader()
        try:
            async for line in response.aiter_lines():
                if (event := reader.feed(line)) is not None:
                    yield event
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    async def _send(self, call: Call[T]) -> T:
        self._target.require_socket()
        try:
            response = await self._http.request(
                call.method, call.path, params=call.params, content=call.content(), headers=JSON
            )
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        return value_of(call, response.status_code, response.content)

    def _unreachable(self, error: httpx.TransportError) -> EngineUnreachable:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return self._target.not_there(error)
        return self._target.went_away(error)
