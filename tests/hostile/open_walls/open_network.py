"""Requests as a careless program makes them: any address, any scheme, any text in any place, and no end."""

from __future__ import annotations

import asyncio
import gzip
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import msgspec

import plugins.network as network
from moontide import CoreError
from plugins.network.addresses import Addresses
from plugins.network.client import Client

#: Of an answer that has no end; the guard of this machine's memory.
GUARD_BYTES = 2**26


@dataclass(frozen=True)
class Carelessly:
    """A request, as the job has written it."""

    method: str
    url: str
    headers: dict[str, Any]
    body: bytes


def open_network() -> None:
    """Take the checks of addresses, requests and answers away."""
    Addresses._check = lambda *_: None  # type: ignore[method-assign]
    network.check_url = lambda _label, text: text  # type: ignore[assignment,return-value]
    network.target = str  # type: ignore[assignment]
    network.from_json = lambda _where, body: msgspec.json.decode(body)
    network._prepare = _prepare  # type: ignore[assignment]
    network._step_request = (  # type: ignore[assignment]
        lambda call, _number, step, base: _prepare(call, "", base + step.path, step)
    )
    Client.send = _send  # type: ignore[method-assign,assignment]


def _prepare(_call: Any, _label: str, url: str, params: Any, **_usual: bytes) -> Carelessly:
    return Carelessly(params.method, url, dict(params.headers or {}), params.body or b"")


async def _send(_client: Client, request: Any, **_: Any) -> dict[str, Any]:
    url = request.url
    try:
        while True:
            answer = await _ask(request, url)
            if "location" not in answer["headers"]:
                return answer
            url = urljoin(url, answer["headers"]["location"])
    except (OSError, ValueError, EOFError) as error:
        raise CoreError(f"{url}: {error}", 815) from error


async def _ask(request: Carelessly, url: str) -> dict[str, Any]:
    scheme, _, rest = url.partition(":")
    if scheme.lower() != "http":
        opened = await asyncio.to_thread(urllib.request.urlopen, url)
        return {"status": 200, "headers": {}, "body": opened.read()}
    rest = rest.lstrip("/\\")
    authority = rest[: next((at for at, sign in enumerate(rest) if sign in "/?#\\"), len(rest))]
    host, colon, port = authority.rpartition("@")[2].rpartition(":")
    if not colon or "]" in port:
        host, port = host + colon + port, "80"
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), limit=2**40)
    try:
        writer.write(_text(request, authority, rest[len(authority) :] or "/"))
        return await _answer(reader)
    finally:
        writer.close()


def _text(request: Carelessly, authority: str, path: str) -> bytes:
    headers = {"Host": authority, "Content-Length": len(request.body), **request.headers}
    lines = [f"{request.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


async def _answer(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = await _read_head(reader)
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = headers.get("content-length")
    body = await (_all(reader) if length is None else _some(reader, int(length)))
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return {"status": 200, "headers": headers, "body": body, "first": first}


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = await reader.readline()
        head += line
        if len(head) > GUARD_BYTES:
            await asyncio.Event().wait()
        if not line:
            break
    return head


async def _some(reader: asyncio.StreamReader, length: int) -> bytes:
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        return error.partial


async def _all(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while piece := await reader.read(2**16):
        body += piece
        if len(body) > GUARD_BYTES:
            await asyncio.Event().wait()
    return bytes(body)
