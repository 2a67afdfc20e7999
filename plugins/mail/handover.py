"""The text of a letter on its way to the server, in pieces: a large one must not keep the engine waiting."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPDataError, SMTPServerDisconnected

PIECE_BYTES = 2**17

_START, _DONE = 354, 250
_LINE_END = re.compile(rb"\r\n|\n|\r")
_DOT = re.compile(rb"(?m)^\.")


async def hand_over(client: SMTP, data: bytes) -> None:
    """Send the command DATA and a letter's text.

    `SMTP.data` does the same at one go, which takes 100 ms and more for a letter of 20 MB.

    Raises:
        SMTPResponseException: the server refused it.
        SMTPServerDisconnected: the connection broke.
    """
    answer = await client.execute_command(b"DATA")
    if answer.code != _START:
        raise SMTPDataError(answer.code, answer.message)
    for piece in pieces(data):
        transport = client.transport
        if not isinstance(transport, asyncio.WriteTransport) or transport.is_closing():
            raise SMTPServerDisconnected("Connection lost")
        transport.write(piece)
        await asyncio.sleep(0)
    answer = await client.execute_command(b".")
    if answer.code != _DONE:
        raise SMTPDataError(answer.code, answer.message)


def pieces(data: bytes) -> Iterator[bytes]:
    """Yield a text as RFC 5321, section 4.5.2, wants it sent: dots doubled, lines ended with CR LF."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + PIECE_BYTES) + 1 or len(data)
        lines = _LINE_END.sub(b"\r\n", data[start:end])
        yield _DOT.sub(b"..", lines if lines.endswith(b"\r\n") else lines + b"\r\n")
        start = end
