"""How other programs talk to an engine: the command line and the dashboard use this and nothing else."""

from __future__ import annotations

import getpass
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import msgspec

from engine.api import calls
from engine.api.address import short_path
from engine.api.alertclient import AlertClient, AsyncAlertClient
from engine.api.answers import Source
from engine.api.auditclient import AsyncAuditClient, AuditClient
from engine.api.bulkclient import AsyncBulkClient, BulkClient
from engine.api.calls import Call
from engine.api.draftclient import AsyncDraftClient, DraftClient
from engine.api.events import EventReader
from engine.api.failures import Failure, rebuild
from engine.api.historyclient import AsyncHistoryClient, HistoryClient
from engine.api.holdclient import AsyncHoldClient, HoldClient
from engine.api.ledgerclient import AsyncLedgerClient, LedgerClient
from engine.api.overrideclient import AsyncOverrideClient, OverrideClient
from engine.api.scheduleclient import AsyncScheduleClient, ScheduleClient
from engine.api.stateclient import AsyncStateClient, StateClient
from engine.errors import EngineUnreachable, MoontideError
from engine.events import Event
from engine.runfilter import RunFilter
from engine.states import RunStatus
from engine.views import (
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

CONNECT_SECONDS = 5.0
#: A reload or check of many thousand files takes its time.
ANSWER_SECONDS = 120.0
#: The stream brings something every 15 s; silence for longer means that the engine is gone.
STREAM_SECONDS = 45.0


class Target:
    """Where the engine is: the path of its Unix socket, or the URL of its TCP listener."""

    def __init__(self, place: Path | str, token: str | None, actor: str | None) -> None:
        self._place = place
        self._stack = ExitStack()
        self.headers = {b"x-moontide-actor": (actor or who_am_i()).encode()}
        if token:
            self.headers[b"authorization"] = f"Bearer {token}".encode()

    @property
    def base_url(self) -> str:
        return self._place if isinstance(self._place, str) else "http://moontide"

    def transport_options(self) -> dict[str, Any]:
        """Return what httpx transports take; a long socket path stays reachable until `close`."""
        if isinstance(self._place, str):
            return {}
        try:
            uds = self._stack.enter_context(short_path(self._place))
        except OSError as error:
            raise self.unreachable(error) from error
        # Loading the certificates would cost more time than the request, and there is no TLS to check.
        return {"uds": uds, "verify": False, "trust_env": False}

    def require_socket(self) -> None:
        """Raise `EngineUnreachable` if there is no socket; httpcore would leave one open when it fails."""
        if isinstance(self._place, Path) and not self._place.exists():
            raise self.unreachable(FileNotFoundError(self._place))

    def close(self) -> None:
        """Let go of the socket's folder."""
        self._stack.close()

    def unreachable(self, error: Exception) -> EngineUnreachable:
        """Return the error for a request that no engine answered."""
        where = self._place if isinstance(self._place, str) else self._place.parent
        if _was_forbidden(error):
            return EngineUnreachable(f"the engine in {where} belongs to another user")
        if isinstance(error, OSError | httpx.ConnectError | httpx.ConnectTimeout):
            return EngineUnreachable(f"no engine is running in {where}; start one with `moontide up`")
        return EngineUnreachable(f"the engine in {where} went away before it answered")


def who_am_i() -> str:
    """Return user and host, for the engine's audit table."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def _was_forbidden(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, PermissionError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _failure(response: httpx.Response) -> MoontideError:
    try:
        return rebuild(msgspec.json.decode(response.content, type=Failure))
    except msgspec.DecodeError:
        return MoontideError(f"the engine answered {response.status_code} without saying why")


def _value(call: Call[T], response: httpx.Response) -> T:
    if not response.is_success:
        raise _failure(response)
    try:
        return call.decode(response.content)
    except msgspec.DecodeError as error:
        raise MoontideError(
            f"the engine's answer cannot be read; is it another version? ({error})"
        ) from error


def _timeout(read_seconds: float) -> httpx.Timeout:
    return httpx.Timeout(read_seconds, connect=CONNECT_SECONDS)


def _of(job: str | None, status: RunStatus | None) -> RunFilter:
    return RunFilter(job=job, statuses=(status,) if status else ())


class Client(ScheduleClient):
    """Asks an engine, and waits for each answer.

    Every method raises the error that the operation raised in the engine, `EngineUnreachable` without an
    engine, and is described in `engine.api.operations`.
    """

    def __init__(self, place: Path | str, *, token: str | None = None, actor: str | None = None) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            place: the engine's socket (`engine.api.address.socket_in(home)`), or the URL of its TCP listener.
            token: what the TCP listener asks for.
            actor: who asks, for the audit table; user and host by default.
        """
        self._target = Target(place, token, actor)
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(**self._target.transport_options()),
            base_url=self._target.base_url,
            headers=self._target.headers,
            timeout=_timeout(ANSWER_SECONDS),
            trust_env=False,
        )
        self.drafts = DraftClient(self._send)
        self.states = StateClient(self._send)
        self.overrides = OverrideClient(self._send)
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
        """Close the connections."""
        self._http.close()
        self._target.close()

    def status(self) -> EngineView:
        return self._send(calls.status())

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
        return self.history.find(_of(job, status), before=before, limit=limit)

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
        call = calls.events(job, run)
        self._target.require_socket()
        try:
            with self._http.stream(
                call.method, call.path, params=call.params, timeout=_timeout(STREAM_SECONDS)
            ) as response:
                if not response.is_success:
                    response.read()
                    raise _failure(response)
                yield self._read(response)
        except httpx.TransportError as error:
            raise self._target.unreachable(error) from error

    def _read(self, response: httpx.Response) -> Iterator[Event]:
        reader = EventReader()
        try:
            for line in response.iter_lines():
                if (event := reader.feed(line)) is not None:
                    yield event
        except httpx.TransportError as error:
            raise self._target.unreachable(error) from error

    def _send(self, call: Call[T]) -> T:
        self._target.require_socket()
        try:
            response = self._http.request(
                call.method, call.path, params=call.params, content=call.content(), headers=_JSON
            )
        except httpx.TransportError as error:
            raise self._target.unreachable(error) from error
        return _value(call, response)


_JSON = {"content-type": "application/json"}


class AsyncClient(AsyncScheduleClient):
    """`Client` for programs with an event loop, such as the dashboard."""

    def __init__(self, place: Path | str, *, token: str | None = None, actor: str | None = None) -> None:
        """Prepare a client; nothing is sent yet. The arguments are those of `Client`."""
        self._target = Target(place, token, actor)
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(**self._target.transport_options()),
            base_url=self._target.base_url,
            headers=self._target.headers,
            timeout=_timeout(ANSWER_SECONDS),
            trust_env=False,
        )
        self.drafts = AsyncDraftClient(self._send)
        self.states = AsyncStateClient(self._send)
        self.overrides = AsyncOverrideClient(self._send)
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
        return await self.history.find(_of(job, status), before=before, limit=limit)

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
                    await response.aread()
                    raise _failure(response)
                yield self._read(response)
        except httpx.TransportError as error:
            raise self._target.unreachable(error) from error

    async def _read(self, response: httpx.Response) -> AsyncIterator[Event]:
        reader = EventReader()
        try:
            async for line in response.aiter_lines():
                if (event := reader.feed(line)) is not None:
                    yield event
        except httpx.TransportError as error:
            raise self._target.unreachable(error) from error

    async def _send(self, call: Call[T]) -> T:
        self._target.require_socket()
        try:
            response = await self._http.request(
                call.method, call.path, params=call.params, content=call.content(), headers=_JSON
            )
        except httpx.TransportError as error:
            raise self._target.unreachable(error) from error
        return _value(call, response)
