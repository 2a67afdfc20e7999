"""What an engine answers while it stands by: all but the list of nodes comes from the engine that leads.

The caller was let in here, so it is not asked for its token again there: the secret of the leader's term,
which stands in the database, tells the leader that another engine speaks for the caller. It is sent through a
Unix socket or under TLS alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import httpx
from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.api import noderoutes
from engine.api.address import short_path
from engine.api.asyncexchange import KEPT_SECONDS
from engine.api.callers import Callers
from engine.api.feed import first_of, gone
from engine.api.guards import CALLER_HEADER, SECRET_HEADER, caller_of
from engine.api.operations import NodeOperations
from engine.api.server import Listeners, put_walls_before
from engine.api.target import ANSWER_SECONDS, CONNECT_SECONDS
from engine.api.tls import Tls
from engine.errors import EngineUnreachable
from engine.version import VERSION

#: A connection that rests is used again for so long as in `engine.api.client`.
_KEPT = httpx.Limits(keepalive_expiry=KEPT_SECONDS)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

#: How it shows that the leader ended, or its machine.
_WENT_AWAY = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.TimeoutException)

#: Headers that go on with a request, and those of an answer that do not come back.
_PASSED_ON = ("accept", "content-type", "x-moontide-actor")
_OF_ONE_CONNECTION = frozenset(
    {b"connection", b"content-encoding", b"content-length", b"keep-alive", b"transfer-encoding", b"upgrade"}
)


@dataclass(frozen=True, slots=True)
class Leader:
    """The engine that leads, as it can be reached from here.

    Attributes:
        addresses: Unix sockets of this machine, then https URLs.
        secret: of its term.
    """

    name: str
    addresses: tuple[str, ...]
    secret: str


class NoLeader(EngineUnreachable):
    """Nobody leads now, or the engine that leads cannot be reached."""


FindLeader = Callable[[], Awaitable[Leader]]


class Standing(Protocol):
    """What an engine that stands by answers by itself."""

    @property
    def nodes(self) -> NodeOperations:
        """The engines and workers that share the database."""


class Forwarder:
    """Sends requests on to the engine that leads, and its answers back as they come."""

    def __init__(self, find_leader: FindLeader, *, trusted: ssl.SSLContext | bool = True) -> None:
        """Make it.

        Args:
            find_leader: gives the engine that leads, or raises `NoLeader`.
            trusted: what certificates are checked against.
        """
        self._find_leader = find_leader
        self._trusted = trusted
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._stack = ExitStack()
        self._under_way: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Break off what is under way, and close all connections."""
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))
        self._clients.clear()
        self._stack.close()

    async def answer(self, request: Request) -> Response:
        """Return what the leader answers.

        Raises:
            NoLeader: says why there is no answer, and what to do.
        """
        if SECRET_HEADER in request.headers:
            raise NoLeader("this engine stands by too: another one leads since a moment; ask again")
        leader = await self._find_leader()
        answered = await self._reached(leader, request, await request.body())
        if answered.headers.get("content-type", "").startswith("text/event-stream"):
            return _Passed(self, answered)
        try:
            content = await answered.aread()
        except _WENT_AWAY as error:
            raise _went_away(leader) from error
        whole = Response(content, status_code=answered.status_code)
        whole.raw_headers = _headers(answered)
        return whole

    async def _reached(self, leader: Leader, request: Request, body: bytes) -> httpx.Response:
        reasons = []
        for address in leader.addresses:
            try:
                client = self._client(address)
                return await client.send(_request(client, leader, request, body), stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout, OSError) as error:
                reasons.append(f"{address}: {error or 'no connection in time'}")
            except _WENT_AWAY as error:
                raise _went_away(leader) from error
        words = "; ".join(reasons) or "it has none that is reached from another machine"
        raise NoLeader(
            f"the engine that leads ({leader.name}) cannot be reached from the one that stands by here "
            f"({words}); set api.tcp with api.certificate there, and node.address if its name is another one"
        )

    def _client(self, address: str) -> httpx.AsyncClient:
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = self._made(address)
        return client

    def _made(self, address: str) -> httpx.AsyncClient:
        if address.startswith("https:"):
            transport = httpx.AsyncHTTPTransport(verify=self._trusted, trust_env=False, limits=_KEPT)
            base = address
        else:
            if not Path(address).exists():
                raise FileNotFoundError(f"there is no socket {address}")
            short = self._stack.enter_context(short_path(Path(address)))
            transport = httpx.AsyncHTTPTransport(uds=short, verify=False, trust_env=False, limits=_KEPT)
            base = "http://moontide"
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        return httpx.AsyncClient(transport=transport, base_url=base, timeout=timeout, trust_env=False)

    async def follow(self, work: Coroutine[None, None, None]) -> None:
        """Await something that `close` breaks off."""
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                task.cancel()
                raise
        finally:
            self._under_way.discard(task)


def _went_away(leader: Leader) -> NoLeader:
    return NoLeader(f"the engine that leads ({leader.name}) went away before it answered")


def _request(client: httpx.AsyncClient, leader: Leader, request: Request, body: bytes) -> httpx.Request:
    headers = [
        (name.encode(), request.headers[name].encode("latin-1"))
        for name in _PASSED_ON
        if name in request.headers
    ]
    headers += [
        (SECRET_HEADER.encode(), leader.secret.encode()),
        (CALLER_HEADER.encode(), caller_of(request.scope).told().encode()),
    ]
    path = cast(bytes, request.scope.get("raw_path") or request.url.path.encode())
    query = cast(bytes, request.scope.get("query_string", b""))
    url = client.base_url.copy_with(raw_path=path.partition(b"?")[0] + (b"?" + query if query else b""))
    return client.build_request(request.method, url, headers=headers, content=body)


class _Passed(Response):
    """A stream of the leader, passed on as it comes; it ends when the leader does."""

    def __init__(self, forwarder: Forwarder, answer: httpx.Response) -> None:
        super().__init__(status_code=answer.status_code)
        self._forwarder = forwarder
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._forwarder.follow(first_of(self._pass_on(send), gone(receive)))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self._answer.aclose()

    async def _pass_on(self, send: Send) -> None:
        headers = _headers(self._answer)
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        with contextlib.suppress(*_WENT_AWAY):
            async for chunk in self._answer.aiter_raw():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})


def _headers(answer: httpx.Response) -> list[tuple[bytes, bytes]]:
    raw = [(name.lower(), value) for name, value in answer.headers.raw]
    return [(name, value) for name, value in raw if name not in _OF_ONE_CONNECTION]


class StandbyServer(Listeners):
    """Serves the API while another engine leads."""

    def __init__(
        self,
        standing: Standing,
        forwarder: Forwarder,
        *,
        socket_path: Path,
        tcp: str | None = None,
        callers: Callers | None = None,
        tls: Tls | None = None,
    ) -> None:
        """Prepare a server; the arguments are those of `ApiServer`.

        Args:
            standing: what this engine answers by itself.
            forwarder: what asks the leader for all else.
        """
        app = _app(standing, forwarder)
        put_walls_before(app, callers)
        self._forwarder = forwarder
        super().__init__(app, socket_path=socket_path, tcp=tcp, tls=tls)

    async def stop(self) -> None:
        """Break off what is under way at the leader, and listen no more."""
        await self._forwarder.close()
        await super().stop()


def _app(standing: Standing, forwarder: Forwarder) -> FastAPI:
    app = FastAPI(
        title="Moontide",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        routes=list(noderoutes.router.routes),
    )
    app.state.operations = standing
    app.add_api_route(
        "/{path:path}", forwarder.answer, methods=list(_METHODS), include_in_schema=False, response_model=None
    )
    return app
