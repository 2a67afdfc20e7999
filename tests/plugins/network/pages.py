"""A lab whose jobs ask servers on loopback, and what those answer."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import trustme

from plugins.network.addresses import Addresses
from plugins.network.client import Client
from plugins.network.request import Request, check_url
from plugins.network.settings import NetworkSettings
from tests.lab import Lab
from tests.plugins.network.book import Book
from tests.plugins.web import Seen, Send, Web, answer

in_module_loop = pytest.mark.asyncio(loop_scope="module")

JOB = "local job = core.job {{ {settings} }} function job.run(run) {body}\nend return job"


@dataclass
class Desk:
    """A lab whose jobs may reach 127.0.0.1, and what they are given."""

    lab: Lab
    authority: trustme.CA

    async def run(self, body: str, *, settings: str = "", **data: Any) -> Any:
        """Run the body of a job that must succeed, and return its result."""
        outcome = await self.lab.run("web", JOB.format(settings=settings, body=body), data)
        assert outcome.error is None, outcome.error
        assert outcome.result_note is None, outcome.result_note
        return outcome.result

    async def failure(self, call: str, **data: Any) -> tuple[str, int]:
        """Return message and code of a call that must fail."""
        value, message, code = await self.run(
            f"local v, m, c = {call} return job.OK, {{ v == nil, m or 'no error', c or 0 }}", **data
        )
        assert value is True, f"{call} did not fail"
        return message, code


OpenDesk = Callable[..., Awaitable[Desk]]


def tls_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


async def echo(seen: Seen, send: Send, web: Web) -> None:
    """Answer with what was asked."""
    told = {
        "method": seen.method,
        "path": seen.path,
        "headers": seen.headers,
        "body": seen.body.decode("latin-1"),
    }
    await send(answer(200, json.dumps(told).encode(), Content_Type="application/json"))


def says(*answers: bytes) -> Callable[[Seen, Send, Web], Awaitable[None]]:
    """Return an answering function that sends these, one for each request, the last again and again."""
    waiting = list(answers)

    async def respond(seen: Seen, send: Send, web: Web) -> None:
        await send(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    return respond


async def never(seen: Seen, send: Send, web: Web) -> None:
    await asyncio.get_running_loop().create_future()


def client_with(book: Book, *allow: str) -> Client:
    return Client(NetworkSettings(allow=list(allow)), addresses=Addresses(allow, resolve=book))


def get_request(url: str, **other: Any) -> Request:
    given = {"headers": (), "body": None, "timeout_seconds": 5.0, "max_redirects": 5, **other}
    return Request("get", "GET", check_url("get", url), **given)


async def ask(client: Client, url: str, **other: Any) -> dict[str, Any]:
    return await client.send(get_request(url, **other), permit=lambda _: None, room=client.room())
