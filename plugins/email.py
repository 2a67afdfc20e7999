"""core.email: messages that go out by SMTP."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

import msgspec

from moontide import CoreCall, CoreError, CoreModule, ServiceContext, hookimpl
from moontide.quantities import format_size, parse_duration, parse_size
from plugins.mail.addresses import parse_address
from plugins.mail.building import Builder
from plugins.mail.delivery import BAD_CONFIG, NOT_SENT, Server, deliver
from plugins.mail.message import Draft, Letter, check_tag_field, recipients_of

#: The usual port for each way of [email] tls.
PORTS = {"starttls": 587, "tls": 465, "none": 25}


class EmailSettings(msgspec.Struct, forbid_unknown_fields=True, rename={"sender": "from"}):
    """The table [email] of moontide.toml."""

    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = ""
    ca_file: str = ""
    allow_skip_verification: bool = False
    timeout: int | float | str = "60s"
    retry_delay: int | float | str = "1s"
    max_recipients: int = 50
    max_message: int | str = "24MB"
    max_per_run: int = 100
    tag_header: str = "X-Tag"
    alerts: list[str] = []
    receivers: dict[str, list[str]] = {}

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ValueError("port must be 1 to 65535, or 0 for the usual one")
        if min(parse_duration(self.timeout), parse_duration(self.retry_delay)) <= 0:
            raise ValueError("timeout and retry_delay must be longer than zero")
        if min(self.max_recipients, parse_size(self.max_message), self.max_per_run) < 1:
            raise ValueError("max_recipients, max_message and max_per_run must be more than zero")
        check_tag_field(self.tag_header)
        if self.sender:
            _check_address("from", self.sender)
        for address in self.alerts:
            _check_address("alerts", address)
        for name, addresses in self.receivers.items():
            for address in addresses:
                _check_address(f"receivers.{name}", address)
        if self.receivers and not (self.host and self.sender):
            raise ValueError("receivers needs host and from as well")
        if self.alerts and not (self.host and self.sender):
            raise ValueError("alerts needs host and from as well")

    def told(self, receiver: str) -> list[str]:
        """Return the addresses of a receiver of alerts, by name; without a name, those of `alerts`."""
        return self.receivers.get(receiver, []) if receiver else self.alerts

    def __repr__(self) -> str:
        return f"EmailSettings(host={self.host!r}, port={self.port})"


def _check_address(key: str, address: str) -> None:
    try:
        parse_address(key, address)
    except CoreError as error:
        raise ValueError(error.message) from error


class PostOffice:
    """What the functions work with: settings, server, builder, and how many mails each run has sent."""

    def __init__(self, settings: EmailSettings, server: Server | None) -> None:
        self.settings = settings
        self.server = server
        self.timeout_seconds = parse_duration(settings.timeout)
        self.most_bytes = parse_size(settings.max_message)
        self.builder = Builder(default_sender=settings.sender, tag_field=settings.tag_header)
        # A run's count goes when the run goes.
        self._sent: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    def count(self, call: CoreCall) -> None:
        """Count a mail of a run.

        Raises:
            CoreError: 701, the run has sent as many as it may.
        """
        sent = self._sent.get(call.resources, 0)
        if sent >= self.settings.max_per_run:
            raise CoreError(
                f"core.email: this run has sent {sent} mails already, the limit (email.max_per_run)", NOT_SENT
            )
        self._sent[call.resources] = sent + 1


email = CoreModule(
    "email",
    summary="Sends mail by SMTP: core.email.new(), then :to(...), :subject(...), :text(...), :send().",
    facade=files("plugins").joinpath("email.lua").read_text("utf-8"),
    settings=EmailSettings,
)


@email.service
@asynccontextmanager
async def open_post_office(settings: EmailSettings, context: ServiceContext) -> AsyncIterator[PostOffice]:
    """Read the certificates; the server is asked for at each mail."""
    server = await asyncio.to_thread(_server_of, settings, context.home) if settings.host else None
    yield PostOffice(settings, server)


def _server_of(settings: EmailSettings, home: Path) -> Server:
    context = ssl.create_default_context()
    if settings.ca_file:
        try:
            context.load_verify_locations(home / settings.ca_file)
        except OSError as error:
            raise CoreError(
                f"[email] ca_file: {home / settings.ca_file} cannot be read as certificates (PEM)", BAD_CONFIG
            ) from error
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    return Server(
        host=settings.host,
        port=settings.port or PORTS[settings.tls],
        tls=settings.tls,
        user=settings.user,
        password=settings.password,
        retry_seconds=parse_duration(settings.retry_delay),
        context=context,
        unverified=unverified,
    )


# The time limit is [email] timeout: a letter half handed over must not be cut off from outside.
@email.function(timeout_seconds=None, needs=lambda message: recipients_of(message), large=True)
async def send(call: CoreCall, message: Draft) -> dict[str, Any]:
    """Send a message; return its id and the recipients that the server refused.

    In test mode everything is checked and nothing is sent.
    """
    office: PostOffice = call.service
    call.hide(office.settings.password)
    letter = await office.builder.build(message)
    _check_size(office, letter)
    if message.test_mode:
        return {"id": letter.message_id, "refused": {}, "test": True}
    server = _server_for(office, message)
    office.count(call)
    tls = server.unverified if message.skip_verification else server.context
    refused = await deliver(server, letter, tls=tls, seconds=office.timeout_seconds)
    for address, reason in refused.items():
        call.log("warn", f"core.email: {address} was refused: {reason}")
    return {"id": letter.message_id, "refused": refused}


@email.function(one_way=True)
def mailgun(call: CoreCall) -> None:
    """Tell that Mailgun's key and domain have no use here."""
    call.log(
        "warn",
        "core.email.new: key, domain and region are ignored; mail goes by [email] in moontide.toml",
    )


def _check_size(office: PostOffice, letter: Letter) -> None:
    settings = office.settings
    if len(letter.recipients) > settings.max_recipients:
        raise CoreError(
            f"core.email: {len(letter.recipients)} recipients; the limit is {settings.max_recipients} "
            "(email.max_recipients)",
            NOT_SENT,
        )
    if letter.size > office.most_bytes:
        raise CoreError(
            f"core.email: the message has {format_size(letter.size)}; the limit is "
            f"{format_size(office.most_bytes)} (email.max_message)",
            NOT_SENT,
        )


def _server_for(office: PostOffice, message: Draft) -> Server:
    if office.server is None:
        raise CoreError(
            'core.email: no mail server is set; add [email] host = "..." to moontide.toml', BAD_CONFIG
        )
    if message.require_tls and office.server.tls == "none":
        raise CoreError('core.email: requireTls is set, but [email] tls is "none"', BAD_CONFIG)
    if message.skip_verification and not office.settings.allow_skip_verification:
        raise CoreError(
            "core.email: skipVerification needs the operator's [email] allow_skip_verification = true",
            BAD_CONFIG,
        )
    return office.server


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `email`."""
    return [email]
