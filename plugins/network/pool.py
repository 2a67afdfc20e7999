"""Connections that wait for the next request to their host."""

from __future__ import annotations

import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore

#: How long a connection waits, and how many do.
KEEP_SECONDS = 30.0
MOST_KEPT = 100


class Pool:
    """Opens connections and uses them again.

    The pool of httpcore looks at every connection for each request, which holds everything up where a hundred
    are open. Here a request looks at those it takes, and no more.
    """

    def __init__(self, context: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend) -> None:
        self._context = context
        self._backend = backend
        # The newest last, each with its host and the time since when it waits.
        self._waiting: OrderedDict[httpcore.AsyncHTTPConnection, tuple[str, float]] = OrderedDict()
        self._by_host: dict[str, list[httpcore.AsyncHTTPConnection]] = {}
        # HTTP/2 takes many requests at once on one connection.
        self._shared: dict[str, httpcore.AsyncHTTPConnection] = {}

    @asynccontextmanager
    async def exchange(self, request: httpcore.Request) -> AsyncIterator[httpcore.Response]:
        """Send a request and give its answer, whose body is read inside the block.

        Raises:
            httpcore.NetworkError, httpcore.ProtocolError: there is no answer.
        """
        connection, response = await self._respond(request)
        try:
            yield response
        finally:
            await response.aclose()
            await self._keep(str(request.url.origin), connection, response)

    async def close(self) -> None:
        """Close what waits."""
        for connection in [*self._waiting, *self._shared.values()]:
            await connection.aclose()

    async def _respond(
        self, request: httpcore.Request
    ) -> tuple[httpcore.AsyncHTTPConnection, httpcore.Response]:
        host = str(request.url.origin)
        while True:
            connection = await self._shareable(host) or await self._take(host)
            connection = connection or self._new(request.url.origin)
            try:
                return connection, await connection.handle_async_request(request)
            except httpcore.ConnectionNotAvailable:
                await self._drop_shared(host, connection)

    def _new(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            origin=origin,
            ssl_context=self._context,
            keepalive_expiry=KEEP_SECONDS,
            http2=True,
            network_backend=self._backend,
        )

    async def _shareable(self, host: str) -> httpcore.AsyncHTTPConnection | None:
        connection = self._shared.get(host)
        if connection is None or (connection.is_available() and not connection.has_expired()):
            return connection
        await self._drop_shared(host, connection)
        return None

    async def _drop_shared(self, host: str, connection: httpcore.AsyncHTTPConnection) -> None:
        if self._shared.get(host) is connection:
            del self._shared[host]
            if connection.is_idle():
                await connection.aclose()

    async def _take(self, host: str) -> httpcore.AsyncHTTPConnection | None:
        while waiting := self._by_host.get(host):
            connection = waiting[-1]
            self._forget(connection)
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    async def _keep(
        self, host: str, connection: httpcore.AsyncHTTPConnection, response: httpcore.Response
    ) -> None:
        if not connection.is_available():
            return
        if response.extensions.get("http_version") != b"HTTP/2":
            self._waiting[connection] = (host, time.monotonic())
            self._by_host.setdefault(host, []).append(connection)
        elif self._shared.setdefault(host, connection) is not connection and connection.is_idle():
            await connection.aclose()
        await self._clear_out()

    async def _clear_out(self) -> None:
        while self._waiting:
            connection, (_, since) = next(iter(self._waiting.items()))
            if len(self._waiting) <= MOST_KEPT and time.monotonic() - since < KEEP_SECONDS:
                return
            self._forget(connection)
            await connection.aclose()

    def _forget(self, connection: httpcore.AsyncHTTPConnection) -> None:
        host, _ = self._waiting.pop(connection)
        self._by_host[host].remove(connection)
        if not self._by_host[host]:
            del self._by_host[host]
