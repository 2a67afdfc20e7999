"""Posting notices of alerts where [network.alerts] says."""

from __future__ import annotations

import dataclasses
import re

import msgspec

from moontide import AlertNotice, CoreError, MoontideError, Undeliverable
from moontide.quantities import parse_duration
from plugins.network.addresses import join
from plugins.network.client import Client
from plugins.network.request import Request, check_headers, check_url, host_of, port_of, target
from plugins.network.settings import AlertHookSettings, NetworkSettings
from plugins.secret import Vault

LABEL = "[network.alerts]"

#: Receivers of plain texts refuse long ones; Discord takes 2,000 characters.
LONGEST_TEXT = 1900

#: Answers of the 400s after which another try may do.
_TRY_AGAIN = frozenset({408, 425, 429})

_SECRET = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}", re.ASCII)


class AlertHook:
    """Where notices go, and how. Neither the address nor a header is ever told: both may hold secrets."""

    def __init__(self, settings: NetworkSettings, vault: Vault) -> None:
        self._settings = settings
        self._hook: AlertHookSettings = settings.alerts
        self._vault = vault

    async def post(self, notice: AlertNotice) -> None:
        """Send a notice as JSON, if there is an address.

        Raises:
            CoreError: it did not arrive; another try may help.
            Undeliverable: the receiver will not take it.
        """
        if not self._hook.url:
            return
        request = self._request(notice)
        # The operator wrote this address, so that it may be a private one; what leads on from it is not
        # followed.
        allow = [*self._settings.allow, join(host_of(request.url), port_of(request.url))]
        own = msgspec.structs.replace(self._settings, allow=allow)
        async with Client(own) as client:
            answer = await client.send(request, permit=lambda host: None, room=client.room())
        status = answer["status"]
        if 200 <= status < 300:
            return
        words = f"{LABEL}: {target(request.url)} answered with status {status}"
        if 400 <= status < 500 and status not in _TRY_AGAIN:
            raise Undeliverable(words)
        raise CoreError(words)

    def _request(self, notice: AlertNotice) -> Request:
        headers = {name: self._filled(value) for name, value in self._hook.headers.items()}
        checked = {b"content-type": b"application/json", **check_headers(LABEL, headers)}
        return Request(
            label=LABEL,
            method="POST",
            url=check_url(LABEL, self._filled(self._hook.url)),
            headers=tuple(checked.items()),
            body=body_of(notice, self._hook.only),
            timeout_seconds=parse_duration(self._hook.timeout),
            max_redirects=0,
        )

    def _filled(self, text: str) -> str:
        """Return a text with its secrets."""
        try:
            return _SECRET.sub(lambda match: self._vault.find(match[1]), text)
        except CoreError as error:
            raise MoontideError(f"{LABEL}: {error.message.removeprefix('core.secret: ')}") from error


def body_of(notice: AlertNotice, only: str) -> bytes:
    """Return a notice as JSON.

    Args:
        only: the one key that the receiver wants, for the text; empty for all there is.
    """
    if not only:
        return msgspec.json.encode(dataclasses.asdict(notice))
    text = f"{notice.subject}\n\n{notice.text}"
    if len(text) > LONGEST_TEXT:
        text = text[: LONGEST_TEXT - 3] + "..."
    return msgspec.json.encode({only: text})
