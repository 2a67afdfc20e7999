"""How programs with an event loop talk to an engine: the dashboard uses this and nothing else.

For programs without one there is `Client`; both ask the same in the same words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self, TypeVar

import httpx

from engine.api.calls import AsyncSend, Call
from engine.api.events import EventReader
from engine.api.requests import Requests, events
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
from engine.roles import Role

__all__ = ["AsyncClient", "Client"]

T = TypeVar("T")

#: A connection that rests is used again for so long: well below the 5 s after which the server closes it, as
#: a request that meets that moment would be told that the engine went away.
KEPT_SECONDS = 2.0


def _timeout(read_seconds: float) -> httpx.Timeout:
    return httpx.Timeout(read_seconds, connect=CONNECT_SECONDS)


def _transport(target: Target) -> httpx.AsyncHTTPTransport:
    # Where there is no TLS to check, loading the certificates would cost more time than the request.
    trusted = target.trusted() or False
    return httpx.AsyncHTTPTransport(
        uds=target.open_socket_path(),
        verify=trusted,
        trust_env=False,
        limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS),
    )


class AsyncClient(Requests[AsyncSend]):
    """`Client` for programs with an event loop, such as the dashboard."""

    def __init__(
        self,
        place: Path | str,
        *,
        token: str | None = None,
        actor: str | None = None,
        ca_file: Path | None = None,
        role: Role | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet. The arguments are those of `Client`."""
        self._target = Target(place, token, actor, ca_file, role)
        self._http = httpx.AsyncClient(
            transport=_transport(self._target),
            base_url=self._target.base_url,
            headers=self._target.headers,
            timeout=_timeout(ANSWER_SECONDS),
            trust_env=False,
        )
        super().__init__(self._ask)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        self._target.close()

    @asynccontextmanager
    async def events(
        self, *, job: str | None = None, run: int | None = None
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Give an iterator of what happens from now on, as `Client.events` does."""
        call = events(job, run)
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

    async def _ask(self, call: Call[T]) -> T:
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
