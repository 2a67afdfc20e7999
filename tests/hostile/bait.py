"""Real servers on the loopback that hostile jobs may talk to, and must not be able to misuse."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.hostile.canaries import Canaries
from tests.hostile.databases import Database, open_databases
from tests.plugins.mailserver import Sink, open_sink
from tests.plugins.web import Seen, Send, Web, answer, serve

#: Whom jobs may write to; whatever reaches anybody else was smuggled.
RECIPIENT = "ops@shop.example"

_MAIL_FIELDS = frozenset(
    {"from", "to", "cc", "reply-to", "subject", "date", "message-id", "auto-submitted", "x-tag"}
    | {"mime-version", "content-type", "content-transfer-encoding", "content-disposition"}
)
_BOMB = gzip.compress(bytes(64 * 2**20), 9)
_PIECE = b"x" * 2**16


@dataclass
class Bait:
    """The servers, with what to tell hostile jobs about them."""

    web: Web
    sink: Sink
    databases: dict[str, Database] = field(default_factory=dict)

    @property
    def settings(self) -> str:
        """The part of moontide.toml that lets jobs reach them."""
        lines = [
            f'[network]\nallow = ["127.0.0.1:{self.web.port}"]\ntimeout = "2s"\nmax_body = "1MB"',
            f'[email]\nhost = "127.0.0.1"\nport = {self.sink.port}\ntls = "none"\nfrom = "jobs@shop.example"',
            'timeout = "10s"\nmax_per_run = 5\nmax_recipients = 3\nmax_message = "1MB"',
            '[sqlite.notes]\nfile = "notes.db"\nquery_timeout = "500ms"\nmax_rows = 1000\nmax_size = "2MB"',
            '[files]\nmax_file = "64KB"\nmax_total = "4MB"\nmax_files = 200',
        ]
        lines += [one.settings for one in self.databases.values()]
        return "\n".join(lines)

    def touched(self) -> list[str]:
        """Return what was misused; nothing if all went as it may."""
        found = [
            f"a request was smuggled: {seen.method} {seen.path}" for seen in self.web.seen if _smuggled(seen)
        ]
        for envelope, message in zip(self.sink.envelopes, self.sink.messages, strict=True):
            if set(envelope.rcpt_tos) != {RECIPIENT}:
                found.append(f"a mail went to {envelope.rcpt_tos}")
            extra = {name.lower() for name in message} - _MAIL_FIELDS
            found += [f"a mail has the field {name}" for name in sorted(extra)]
        for database in self.databases.values():
            found += database.touched()
        return found


def _smuggled(seen: Seen) -> bool:
    return "smuggled" in seen.path or "x-injected" in seen.headers or seen.method == "SMUGGLED"


async def _answer(seen: Seen, send: Send, canary: str) -> None:
    """Answer as a hostile server would."""
    redirect = _REDIRECTS.get(seen.path)
    if redirect is not None:
        await send(answer(302, Location=redirect.replace("CANARY", canary)))
    elif seen.path == "/endless":
        await send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await send(b"%x\r\n%s\r\n" % (len(_PIECE), _PIECE))
    elif seen.path == "/headers":
        await send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await send(b"X-Filler: " + _PIECE[:1000] + b"\r\n")
    elif seen.path == "/silent":
        await asyncio.get_running_loop().create_future()
    elif seen.path == "/bomb":
        await send(answer(200, _BOMB, Content_Encoding="gzip"))
    elif seen.path == "/liar":
        await send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nshort")
        raise ConnectionResetError
    elif seen.path == "/nonsense":
        await send(b"\x00\xff\x1b]0;title\x07 nothing of HTTP\r\n\r\n")
    elif seen.path == "/deep":
        await send(answer(200, b"[" * 100_000, Content_Type="application/json"))
    elif seen.path == "/terminal":
        await send(answer(200, b"\x1b]0;owned\x07\x1b[2J plain \xff\xfe", Content_Type="text/plain"))
    else:
        lines = [f"{name}={value}" for name, value in seen.headers.items()]
        await send(answer(200, "\n".join([seen.method, seen.path, *lines]).encode()))


# By name and by address, to places where no job may go.
_REDIRECTS = {
    "/to-canary": "http://CANARY/",
    "/to-metadata": "http://169.254.169.254/latest/meta-data/",
    "/to-file": "file:///etc/passwd",
    "/to-itself": "/to-itself",
}


@contextmanager
def laid(canaries: Canaries, *, mighty: bool = False) -> Iterator[Bait]:
    """Open all servers, and close them at the end of the block.

    Args:
        mighty: let jobs use databases as their administrator.
    """
    with ExitStack() as stack:
        loop = stack.enter_context(_loop_in_a_thread())
        servers = AsyncExitStack()
        bait = _within(loop, _open(servers, canaries)).result(30)
        stack.callback(lambda: _within(loop, servers.aclose()).result(30))
        bait.databases = stack.enter_context(open_databases(mighty=mighty))
        yield bait


async def _open(servers: AsyncExitStack, canaries: Canaries) -> Bait:
    async def respond(seen: Seen, send: Send, _web: Web) -> None:
        await _answer(seen, send, f"127.0.0.1:{canaries.port}")

    return Bait(
        await servers.enter_async_context(serve(respond)), await servers.enter_async_context(open_sink())
    )


@contextmanager
def _loop_in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _within(loop: asyncio.AbstractEventLoop, work: Any) -> Future[Any]:
    return asyncio.run_coroutine_threadsafe(work, loop)
