"""Requests to an engine on an event loop.

To import an HTTP client would take the dashboard a fifth of the time until its first screen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import h11

from engine.api.calls import Call
from engine.api.connection import Connection
from engine.api.target import ANSWER_SECONDS, CONNECT_SECONDS, JSON, STREAM_SECONDS, Target
from engine.api.wording import Answer, address_of

#: A connection that rests is used again for so long: well below the 5 s after which the server closes it, as
#: a request that meets that moment would be told that the engine went away.
KEPT_SECONDS = 2.0

_BUFFER_BYTES = 2**20


class AsyncExchange:
    """Sends requests to one engine, also several at once."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._socket_path = target.open_socket_path()
        self._trusted = target.trusted()
        self._url = urlsplit(target.base_url)
        self._resting: list[tuple[float, Connection]] = []

    def close(self) -> None:
        """Close the connections that rest."""
        while self._resting:
            self._resting.pop()[1].close()

    async def ask(self, call: Call[Any]) -> Answer:
        """Send a request and return the answer.

        Raises:
            EngineUnreachable: there is no engine, or it went away.
        """
        connection, may_go_on = self._rested() or await self._connected(), False
        try:
            with self._telling():
                await connection.send(*self._request(call), ANSWER_SECONDS)
                status = await connection.status(ANSWER_SECONDS)
                content = b"".join([part async for part in connection.content(ANSWER_SECONDS)])
                may_go_on = connection.begins_anew()
        finally:
            if may_go_on:
                self._resting.append((time.monotonic(), connection))
            else:
                connection.close()
        return Answer(status, content)

    @asynccontextmanager
    async def lines(self, call: Call[Any]) -> AsyncIterator[tuple[Answer, AsyncIterator[str]]]:
        """Send a request, and give what is answered line by line as it comes.

        Yields:
            the answer with its lines; one that tells of a failure has its content and no lines.

        Raises:
            EngineUnreachable: there is no engine, or it went away.
        """
        connection = await self._connected()
        try:
            with self._telling():
                await connection.send(*self._request(call), STREAM_SECONDS)
                status = await connection.status(STREAM_SECONDS)
                parts = connection.content(STREAM_SECONDS)
                content = b"" if status == HTTPStatus.OK else b"".join([part async for part in parts])
            yield Answer(status, content), self._lines_of(parts)
        finally:
            connection.close()

    async def _lines_of(self, parts: AsyncIterator[bytes]) -> AsyncIterator[str]:
        rest = b""
        with self._telling():
            async for part in parts:
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    yield line.decode().removesuffix("\r")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell what goes wrong with the connection in words for people."""
        try:
            yield
        except (OSError, h11.RemoteProtocolError) as error:
            raise self._target.went_away(error) from error

    def _rested(self) -> Connection | None:
        while self._resting:
            since, connection = self._resting.pop()
            if connection.is_open() and time.monotonic() < since + KEPT_SECONDS:
                return connection
            connection.close()
        return None

    async def _connected(self) -> Connection:
        self._target.require_socket()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return Connection(*await self._opened())
        except OSError as error:
            raise self._target.not_there(error) from error

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._socket_path is not None:
            return await asyncio.open_unix_connection(self._socket_path, limit=_BUFFER_BYTES)
        port = self._url.port or (80 if self._trusted is None else 443)
        return await asyncio.open_connection(self._url.hostname, port, ssl=self._trusted, limit=_BUFFER_BYTES)

    def _request(self, call: Call[Any]) -> tuple[h11.Request, bytes]:
        """Return a request's head and its content."""
        content = call.content() or b""
        length = {b"content-length": b"%d" % len(content)} if content else {}
        fields = {b"host": self._host(), **JSON, **self._target.headers, **length}
        address = address_of(call, self._url.path)
        return h11.Request(method=call.method, target=address, headers=list(fields.items())), content

    def _host(self) -> bytes:
        """Return the engine's host as the head of a request has it (RFC 9110, section 7.2)."""
        host, port = self._url.hostname or "", self._url.port
        name = host.encode("ascii" if host.isascii() else "idna")
        name = b"[%b]" % name if ":" in host else name
        return name if port is None else b"%b:%d" % (name, port)
