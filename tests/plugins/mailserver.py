"""A real SMTP server on the loopback, which keeps what it gets and refuses what it is told to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"


@dataclass
class Sink:
    """What the server got, and what it answers.

    Attributes:
        replies: to each RCPT of an address, one after the other; then "250 OK".
        data_replies: to each message, one after the other; then "250 OK".
    """

    port: int = 0
    envelopes: list[Envelope] = field(default_factory=list)
    logins: list[tuple[str, bool]] = field(default_factory=list)
    replies: dict[str, list[str]] = field(default_factory=dict)
    data_replies: list[str] = field(default_factory=list)
    connections: int = 0
    encrypted: list[bool] = field(default_factory=list)

    @property
    def messages(self) -> list[EmailMessage]:
        """The messages that were accepted."""
        return [self._parsed(envelope) for envelope in self.envelopes]

    def _parsed(self, envelope: Envelope) -> EmailMessage:
        assert isinstance(envelope.content, bytes)
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Check a login: the password is "opensesame"."""
        assert isinstance(data, LoginPassword)
        good = data.password == b"opensesame"
        self.logins.append((data.login.decode(), good))
        return AuthResult(success=good, handled=False)


class _Handler:
    """Takes what comes for a sink.

    It has no properties: aiosmtpd asks for every attribute of its handler at each connection, and to read all
    messages so often made each one slower than the one before.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to one recipient."""
        waiting = self._sink.replies.get(address, [])
        reply = waiting.pop(0) if waiting else "250 OK"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a message."""
        reply = self._sink.data_replies.pop(0) if self._sink.data_replies else "250 OK"
        if reply.startswith("250"):
            self._sink.envelopes.append(envelope)
            self._sink.encrypted.append(session.ssl is not None)
        return reply


def certificates(folder: Path) -> ssl.SSLContext:
    """Return a server's TLS context for the loopback; its authority is written to `ca.pem`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST, "localhost").configure_cert(context)
    return context


@asynccontextmanager
async def open_sink(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, login: bool = False
) -> AsyncIterator[Sink]:
    """Open a server on a free port.

    Args:
        starttls: offers STARTTLS and demands it.
        tls: speaks TLS from the first byte.
        login: demands a login.
    """
    sink = Sink()

    def protocol() -> SMTP:
        sink.connections += 1
        return SMTP(
            _Handler(sink),
            hostname="sink.example",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=sink.authenticate if login else None,
            auth_required=login,
            auth_require_tls=starttls is not None,
        )

    server = await asyncio.get_running_loop().create_server(protocol, HOST, 0, ssl=tls)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def open_dying(lines: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Open a server that breaks each connection after so many lines from the client.

    Yields:
        its port, and the lines that it got.
    """
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 dying\r\n")
        for _ in range(lines):
            line = await reader.readline()
            got.append(line)
            if b"DATA\r\n" not in got:
                writer.write(b"250 OK\r\n")
            elif line == b"DATA\r\n":
                writer.write(b"354 go on\r\n")
        writer.transport.abort()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1], got
    finally:
        server.close()
        await server.wait_closed()
