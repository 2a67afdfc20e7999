"""A mail message from what a job has set: a fixed set of header fields, checked again when it is built."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import make_msgid

import msgspec

from moontide import CoreError
from plugins.mail.addresses import BAD_ADDRESS, parse_address, parse_addresses, unsafe_in_header
from plugins.mail.pieces import pieces

WRONG = 801
MISSING = 804
NO_SUBJECT = "(no subject)"
LONGEST_SUBJECT = 500
LONGEST_FILE_NAME = 200
MOST_ATTACHMENTS = 50

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,127}")
_TAG_FIELD = re.compile(r"X-[A-Za-z0-9]+(-[A-Za-z0-9]+)*")

#: The header fields that a part inside a message may have.
_PART_FIELDS = {"content-type", "content-transfer-encoding", "content-disposition", "mime-version"}

#: Only ASCII goes over the line, so that every server takes the message.
_POLICY = policy.SMTP.clone(cte_type="7bit")


class Attachment(msgspec.Struct, forbid_unknown_fields=True):
    """A file that goes with a message."""

    name: str
    content: bytes


class Draft(
    msgspec.Struct,
    forbid_unknown_fields=True,
    rename={
        "sender": "from",
        "reply_to": "replyTo",
        "require_tls": "requireTls",
        "skip_verification": "skipVerification",
        "test_mode": "testMode",
    },
):
    """What a job has set on a message, in the words of the job."""

    sender: str | None = None
    to: list[str] = []
    cc: list[str] = []
    bcc: list[str] = []
    reply_to: str | None = None
    subject: str = NO_SUBJECT
    text: str | None = None
    html: str | None = None
    tag: str | None = None
    attachments: list[Attachment] = []
    require_tls: bool = False
    skip_verification: bool = False
    test_mode: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it goes to the server.

    Attributes:
        sender: the envelope's sender.
        recipients: the envelope's recipients, each once; told from the addresses, never from the text.
        message_id: what the header field Message-ID says, with its angle brackets.
        size: of its text, in bytes.
        pieces: its text as it goes over the line; see `plugins.mail.pieces`.
    """

    sender: str
    recipients: tuple[str, ...]
    message_id: str
    size: int
    pieces: tuple[bytes, ...]


def check_tag_field(name: str) -> None:
    """Accept the name of a header field for tags.

    Raises:
        ValueError: it is none, or one with a meaning of its own.
    """
    if not _TAG_FIELD.fullmatch(name):
        raise ValueError("tag_header must be a name such as X-Tag, beginning with X-")


def recipients_of(draft: Draft) -> tuple[str, ...]:
    """Return the addresses that a draft goes to, each once.

    Raises:
        CoreError: 704 for one that is none.
    """
    found: dict[str, str] = {}
    for field in ("to", "cc", "bcc"):
        for address in parse_addresses(field, getattr(draft, field)):
            found.setdefault(address.addr_spec.lower(), address.addr_spec)
    return tuple(found.values())


def build_letter(draft: Draft, *, default_sender: str, tag_field: str) -> Letter:
    """Return the message of a draft.

    Args:
        default_sender: stands in where the job has set none; empty for none.
        tag_field: the header field that holds the tag.

    Raises:
        CoreError: 704 for a missing or wrong address, 801 or 804 for another field.
    """
    if not (draft.sender or default_sender):
        raise CoreError("core.email: from is missing; msg:from(address), or [email] from", BAD_ADDRESS)
    if not draft.to:
        raise CoreError("core.email: to is missing; msg:to(address)", BAD_ADDRESS)
    sender = parse_address("from", draft.sender or default_sender)
    message = EmailMessage(policy=_POLICY)
    message_id = make_msgid(domain=sender.domain)
    message["Message-ID"] = message_id
    message["Date"] = datetime.now(UTC)
    message["From"] = sender
    _set_recipients(message, draft)
    message["Subject"] = _header("subject", draft.subject, LONGEST_SUBJECT)
    message["Auto-Submitted"] = "auto-generated"
    if draft.tag is not None:
        message[tag_field] = _checked_tag(draft.tag)
    names = [name.lower() for name in message.keys()]  # noqa: SIM118 - one entry for each field
    _set_content(message, draft)
    data = message.as_bytes()
    check_fields(data, names)
    return Letter(sender.addr_spec, recipients_of(draft), message_id, len(data), tuple(pieces(data)))


def _set_recipients(message: EmailMessage, draft: Draft) -> None:
    message["To"] = _list("to", draft.to)
    if draft.cc:
        message["Cc"] = _list("cc", draft.cc)
    if draft.reply_to is not None:
        message["Reply-To"] = parse_address("replyTo", draft.reply_to)


def _list(field: str, texts: Sequence[str]) -> tuple[Address, ...]:
    return tuple(parse_addresses(field, texts))


def _set_content(message: EmailMessage, draft: Draft) -> None:
    if draft.text is None and draft.html is None and not draft.attachments:
        raise CoreError("core.email: there is nothing to send; msg:text(words) or msg:html(words)", MISSING)
    if draft.text is not None or draft.html is None:
        message.set_content(draft.text or "")
        if draft.html is not None:
            message.add_alternative(draft.html, subtype="html")
    else:
        message.set_content(draft.html, subtype="html")
    if len(draft.attachments) > MOST_ATTACHMENTS:
        raise CoreError(f"core.email: a message has up to {MOST_ATTACHMENTS} attachments", WRONG)
    for attachment in draft.attachments:
        _attach(message, attachment)


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    name = _header("attach", attachment.name, LONGEST_FILE_NAME)
    if not name or "/" in name or "\\" in name:
        raise CoreError("core.email: attach: the name must be a file's name, without a folder", WRONG)
    kind, encoding = mimetypes.guess_type(name)
    main, _, sub = ("application/octet-stream" if kind is None or encoding else kind).partition("/")
    message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=name)


def _header(field: str, text: str, longest: int) -> str:
    if unsafe_in_header(text):
        raise CoreError(
            f"core.email: {field} must be one line, without control characters and without =?", WRONG
        )
    if len(text) > longest:
        raise CoreError(f"core.email: {field} may have up to {longest} characters", WRONG)
    return text


def _checked_tag(tag: str) -> str:
    if not _TAG.fullmatch(tag):
        raise CoreError("core.email: tag must be 1 to 128 letters, digits, blanks, . _ or -", WRONG)
    return tag


def check_fields(data: bytes, names: list[str]) -> None:
    """Read the message as a server would: it has the fields that were set, and no other.

    Serialising has let texts become header fields before (CVE-2024-6923); this holds whatever comes next.
    """
    parsed = BytesParser(policy=policy.compat32).parsebytes(data)
    found = [name.lower() for name in parsed.keys()]  # noqa: SIM118 - one entry for each field
    own = [name for name in found if name not in _PART_FIELDS]
    inner = {name.lower() for part in parsed.walk() if part is not parsed for name in part.keys()}  # noqa: SIM118
    if own != names or len(found) != len(set(found)) or inner - _PART_FIELDS:
        raise CoreError("core.email: the message would have header fields that were not set", WRONG)
