"""The way of a letter to the mail server, with further tries after what the server calls temporary."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPAuthenticationError, SMTPException, SMTPResponseException

from moontide import CoreError
from plugins.mail.handover import hand_over
from plugins.mail.message import Letter

NOT_SENT = 701
BAD_CONFIG = 702
LONGEST_PAUSE_SECONDS = 30.0
LONGEST_REPLY = 200
QUIT_SECONDS = 5.0

_UNCERTAIN = (
    "the connection broke while the message was handed over; it may have arrived, so it was not tried again"
)
_NO_ANSWER = "the mail server did not answer in time"
_BROKEN = "the mail server cannot be reached, or broke the connection"


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server and how to talk to it.

    Attributes:
        tls: "starttls", "tls" from the first byte, or "none".
        retry_seconds: the pause before the second try; each further one is twice as long.
        context: TLS where the server must prove its name.
        unverified: TLS where it need not.
    """

    host: str
    port: int
    tls: str
    user: str
    password: str = field(repr=False)
    retry_seconds: float
    context: ssl.SSLContext
    unverified: ssl.SSLContext


@dataclass(slots=True)
class Delivery:
    """How far a letter has come.

    Attributes:
        pending: recipients that the server has neither taken nor refused for good.
        refused: why each other recipient was refused.
        delivered: the server has taken the letter for at least one recipient.
        handing_over: the text is under way, and whether the server has it is not known.
        code: of the error, if the letter was not delivered at all.
    """

    pending: list[str]
    refused: dict[str, str] = field(default_factory=dict)
    delivered: bool = False
    handing_over: bool = False
    tries: int = 0
    code: int = NOT_SENT

    def give_up(self, reason: str, code: int = NOT_SENT) -> None:
        """Count all who still wait as refused."""
        self.refused |= dict.fromkeys(self.pending, reason)
        self.pending, self.code = [], code


class Temporary(Exception):
    """This try failed in a way that another one may not; the text says how."""


class Permanent(Exception):
    """Another try would fail in the same way; the text says how."""

    def __init__(self, reason: str, code: int = NOT_SENT) -> None:
        super().__init__(reason)
        self.code = code


async def deliver(server: Server, letter: Letter, *, tls: ssl.SSLContext, seconds: float) -> dict[str, str]:
    """Hand a letter to the server; what it calls temporary is tried again after a pause.

    Args:
        tls: `server.context` or `server.unverified`.
        seconds: for all tries and pauses together.

    Returns:
        the refused recipients with what the server said; at least one other was accepted.

    Raises:
        CoreError: 701 nobody was accepted, 702 the settings do not fit the server.
    """
    delivery = Delivery(list(letter.recipients))
    now = asyncio.get_running_loop().time
    deadline, pause = now() + seconds, server.retry_seconds
    while True:
        reason = await _try(server, letter, delivery, tls, deadline)
        if not delivery.pending:
            break
        if now() + pause >= deadline:
            delivery.give_up(reason)
            break
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    if delivery.delivered:
        return delivery.refused
    raise CoreError(_why_not_sent(delivery), delivery.code)


def _why_not_sent(delivery: Delivery) -> str:
    reasons = "; ".join(dict.fromkeys(delivery.refused.values()))
    tries = "" if delivery.tries == 1 else f" after {delivery.tries} tries"
    return f"core.email: not sent{tries}: {reasons[:500]}"


async def _try(
    server: Server, letter: Letter, delivery: Delivery, tls: ssl.SSLContext, deadline: float
) -> str:
    """Try once, and return why recipients are still pending."""
    delivery.tries += 1
    try:
        async with asyncio.timeout_at(deadline), _connected(server, tls) as client:
            return await _offer_and_hand_over(client, letter, delivery)
    except Permanent as error:
        delivery.give_up(str(error), error.code)
    except Temporary as error:
        return str(error)
    except (SMTPException, OSError) as error:
        if not delivery.handing_over:
            return _NO_ANSWER if isinstance(error, TimeoutError) else _BROKEN
        delivery.give_up(_UNCERTAIN)
    return ""


async def _offer_and_hand_over(client: SMTP, letter: Letter, delivery: Delivery) -> str:
    try:
        await client.mail(letter.sender)
        later = await _name_recipients(client, delivery)
        if len(later) < len(delivery.pending):
            delivery.handing_over = True
            await hand_over(client, letter.pieces)
            delivery.delivered = True
    except SMTPResponseException as error:
        delivery.handing_over = False
        raise _failure(error) from error
    delivery.handing_over = False
    delivery.pending = list(later)
    return "; ".join(dict.fromkeys(later.values()))


async def _name_recipients(client: SMTP, delivery: Delivery) -> dict[str, str]:
    """Name the recipients; return those that the server wants to be asked about later, with its words."""
    later: dict[str, str] = {}
    for address in list(delivery.pending):
        try:
            await client.rcpt(address)
        except SMTPResponseException as error:
            if _is_temporary(error):
                later[address] = _reply(error)
            else:
                delivery.pending.remove(address)
                delivery.refused[address] = _reply(error)
    return later


@asynccontextmanager
async def _connected(server: Server, tls: ssl.SSLContext) -> AsyncIterator[SMTP]:
    client = SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user or None,
        password=server.password or None,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        tls_context=tls if server.tls != "none" else None,
        timeout=None,
    )
    try:
        await _connect(client)
        yield client
        with contextlib.suppress(SMTPException, OSError):
            await client.quit(timeout=QUIT_SECONDS)
    finally:
        client.close()


async def _connect(client: SMTP) -> None:
    """Connect, with TLS and login as the settings want them.

    Raises:
        Permanent: 702, the settings do not fit the server.
        Temporary: the server answered that it cannot now.
        OSError, SMTPException: there is no connection.
    """
    try:
        await client.connect()
    except SMTPAuthenticationError as error:
        if _is_temporary(error):
            raise Temporary(_reply(error)) from error
        raise Permanent(
            f"the mail server refused the login ({error.code}); see [email] user and password", BAD_CONFIG
        ) from error
    except SMTPResponseException as error:
        raise _failure(error) from error
    except (SMTPException, OSError) as error:
        if reason := _misfit(error):
            raise Permanent(reason, BAD_CONFIG) from error
        raise


def _misfit(error: Exception) -> str | None:
    """Return which setting does not fit, if that is what a failed connection tells."""
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"the mail server's certificate is not trusted ({cause.verify_message}); name the authority's "
            "file in [email] ca_file, or the right host"
        )
    if isinstance(cause, ssl.SSLError):
        return "the mail server does not speak TLS here; see [email] tls and port"
    if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
        return "the mail server's name is not known; see [email] host"
    if type(error) is SMTPException:
        return "the mail server offers no STARTTLS, or no login that is known here; see [email] tls and user"
    return None


def _failure(error: SMTPResponseException) -> Temporary | Permanent:
    return Temporary(_reply(error)) if _is_temporary(error) else Permanent(_reply(error))


def _is_temporary(error: SMTPResponseException) -> bool:
    return 400 <= error.code < 500


def _reply(error: SMTPResponseException) -> str:
    text = "".join(sign if sign.isprintable() else " " for sign in error.message)
    return f"the mail server said {error.code} {text}"[:LONGEST_REPLY].strip()
