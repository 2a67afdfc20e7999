"""Posting notices of alerts where [network.alerts] says, or [network.receivers] for jobs that name one."""

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

#: Receivers of plain texts refuse long ones; Discord takes 2,000 characters.
LONGEST_TEXT = 1900

#: Answers of the 400s after which another try may do.
_TRY_AGAIN = frozenset({408, 425, 429})

_SECRET = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}", re.ASCII)


class AlertHook:
    """Where notices go, and how. Neither the address nor a header is ever told: both may hold secrets."""

    def __init__(self, settings: NetworkSettings, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault

    async def post(self, notice: AlertNotice) -> None:
        """Send a notice as JSON, if there is an address.

        Raises:
            CoreError: it did not arrive; another try may help.
            Undeliverable: the receiver will not take it.
        """
        label, hook = self._hook_of(notice.to)
        if hook is None or not hook.url:
            return
        request = self._request(notice, hook, label)
        # The operator wrote this address, so that it may be a private one; what leads on from it is not
        # followed.
        allow = [*self._settings.allow, join(host_of(request.url), port_of(request.url))]
        own = msgspec.structs.replace(self._settings, allow=allow)
        async with Client(own) as client:
            answer = await client.send(request, permit=lambda host: None, room=client.room())
        status = answer["status"]
        if 200 <= status < 300:
            return
        words = f"{label}: {target(request.url)} answered with status {status}"
        if 400 <= status < 500 and status not in _TRY_AGAIN:
            raise Undeliverable(words)
        raise CoreError(words)

    def _hook_of(self, receiver: str) -> tuple[str, AlertHookSettings | None]:
        """Return how a receiver's table is called, and the table if there is one."""
        if not receiver:
            return "[network.alerts]", self._settings.alerts
        return f"[network.receivers.{receiver}]", self._settings.receivers.get(receiver)

    def _request(self, notice: AlertNotice, hook: AlertHookSettings, label: str) -> Request:
        headers = {name: self._filled(value, label) for name, value in hook.headers.items()}
        checked = {b"content-type": b"application/json", **check_headers(label, headers)}
        return Request(
            label=label,
            method="POST",
            url=check_url(label, self._filled(hook.url, label)),
            headers=tuple(checked.items()),
            body=body_of(notice, hook.only),
            timeout_seconds=parse_duration(hook.timeout),
            max_redirects=0,
        )

    def _filled(self, text: str, label: str) -> str:
        """Return a text with its secrets."""
        try:
            return _SECRET.sub(lambda match: self._vault.find(match[1]), text)
        except CoreError as error:
            raise MoontideError(f"{label}: {error.message.removeprefix('core.secret: ')}") from error


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
