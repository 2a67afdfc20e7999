"""Small web servers on loopback: one that answers as it is told, one that speaks HTTP/2."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events


@dataclass
class Seen:
    """One request as the server saw it."""

    connection: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Web:
    """A running server.

    Attributes:
        seen: the requests so far.
        hung_up: set when a client closes a connection in the middle of an answer.
    """

    port: int = 0
    scheme: str = "http"
    connections: int = 0
    seen: list[Seen] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


Send = Callable[[bytes], Awaitable[None]]
Answer = Callable[[Seen, Send, Web], Awaitable[None]]


def answer(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """Return a whole answer; `_` in header names becomes `-`."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def serve(respond: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    """Serve HTTP/1.1 with keep-alive until the block ends."""
    web = Web(scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        web.connections += 1
        number = web.connections
        try:
            while (seen := await _read_request(reader, number)) is not None:
                web.seen.append(seen)
                web.asked.set()
                await _respond(respond, seen, reader, writer, web)
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _respond(
    respond: Answer, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, web: Web
) -> None:
    async def send(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    answering = asyncio.ensure_future(respond(seen, send, web))
    gone = asyncio.ensure_future(reader.read(1))
    await asyncio.wait([answering, gone], return_when=asyncio.FIRST_COMPLETED)
    if answering.done():
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        if isinstance(answering.exception(), ConnectionResetError | BrokenPipeError):
            web.hung_up.set()
        answering.result()
    else:
        web.hung_up.set()
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        raise ConnectionError


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Seen | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(connection, method, path, headers, body)


@asynccontextmanager
async def serve_http2(tls: ssl.SSLContext) -> AsyncIterator[Web]:
    """Serve HTTP/2 alone: each answer tells the path that was asked for."""
    tls.set_alpn_protocols(["h2"])
    web = Web(scheme="https")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        web.connections += 1
        number = web.connections
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        writer.write(state.data_to_send())
        while data := await reader.read(2**16):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    _answer_stream(state, event, web, number)
            writer.write(state.data_to_send())
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    async with server:
        yield web


def _answer_stream(
    state: h2.connection.H2Connection, event: h2.events.RequestReceived, web: Web, number: int
) -> None:
    headers = {name.decode(): value.decode() for name, value in event.headers or []}
    web.seen.append(Seen(number, headers[":method"], headers[":path"], headers, b""))
    assert event.stream_id is not None
    state.send_headers(event.stream_id, [(":status", "200"), ("x-protocol", "h2")])
    state.send_data(event.stream_id, headers[":path"].encode(), end_stream=True)
