"""Mail as a careless program builds and sends it: texts put together, and lines sent as they are."""

from __future__ import annotations

import asyncio
from base64 import encodebytes
from typing import Any

import plugins.email as email
from moontide import CoreError
from plugins.mail.building import Builder
from plugins.mail.message import Draft, Letter


def open_mail() -> None:
    """Take the checks of messages away."""
    Builder.build = _build  # type: ignore[method-assign]
    email.recipients_of = lambda _draft: ()
    email._check_size = lambda *_: None  # type: ignore[assignment]
    email._server_for = lambda office, _message: office.server  # type: ignore[assignment]
    email.PostOffice.count = lambda *_: None  # type: ignore[method-assign]
    email.deliver = _deliver  # type: ignore[assignment]


async def _build(builder: Builder, draft: Draft) -> Letter:
    sender = draft.sender or builder._default_sender
    lines = [f"From: {sender}", f"To: {', '.join(draft.to)}", f"Subject: {draft.subject}"]
    lines += [f"Cc: {', '.join(draft.cc)}"] if draft.cc else []
    lines += [f"Reply-To: {draft.reply_to}"] if draft.reply_to else []
    lines += [f"{builder._tag_field}: {draft.tag}"] if draft.tag else []
    lines += [f'Content-Disposition: attachment; filename="{file.name}"' for file in draft.attachments]
    body = draft.text or draft.html or ""
    data = "\r\n".join([*lines, "", body]).encode() + b"".join(
        encodebytes(file.content) for file in draft.attachments
    )
    recipients = (*draft.to, *draft.cc, *draft.bcc)
    return Letter(sender, recipients, "<careless@shop.example>", len(data), (data,))


async def _deliver(server: Any, letter: Letter, **_: Any) -> dict[str, str]:
    try:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        try:
            await _talk(reader, writer, letter)
        finally:
            writer.close()
    except OSError as error:
        raise CoreError(f"core.email: {error}", 701) from error
    return {}


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, letter: Letter) -> None:
    await reader.readline()
    lines = ["HELO careless", f"MAIL FROM:<{letter.sender}>"]
    lines += [f"RCPT TO:<{recipient}>" for recipient in letter.recipients]
    for line in [*lines, "DATA"]:
        writer.write(line.encode() + b"\r\n")
        await reader.readline()
    writer.writelines([*letter.pieces, b"\r\n.\r\n"])
    if not (await reader.readline()).startswith(b"2"):
        raise CoreError("core.email: the server did not take it", 701)
    # Whatever else the server makes of the text shall have come there too.
    writer.write(b"QUIT\r\n")
    await reader.read()
