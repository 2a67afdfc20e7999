"""The text of a letter on its way to the server, a piece at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPDataError, SMTPServerDisconnected

_START, _DONE = 354, 250


async def hand_over(client: SMTP, pieces: Iterable[bytes]) -> None:
    """Send the command DATA and a letter's text.

    `SMTP.data` does the same at one go, which takes 100 ms and more for a letter of 20 MB.

    Raises:
        SMTPResponseException: the server refused it.
        SMTPServerDisconnected: the connection broke.
    """
    answer = await client.execute_command(b"DATA")
    if answer.code != _START:
        raise SMTPDataError(answer.code, answer.message)
    for piece in pieces:
        transport = client.transport
        if not isinstance(transport, asyncio.WriteTransport) or transport.is_closing():
            raise SMTPServerDisconnected("Connection lost")
        transport.write(piece)
        await asyncio.sleep(0)
    answer = await client.execute_command(b".")
    if answer.code != _DONE:
        raise SMTPDataError(answer.code, answer.message)
