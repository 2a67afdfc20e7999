"""Posts the notices of alerts to the address of [network.alerts], or of a receiver for single jobs."""

from __future__ import annotations

from moontide import AlertNotice, EventSubscriber, hookimpl
from plugins.network import NetworkService, network

#: For how long a notice is posted again.
KEEP_TRYING_SECONDS = 24 * 3600.0


async def tell(notice: AlertNotice, service: NetworkService) -> None:
    """Post a notice."""
    await service.hook.post(notice)


@hookimpl
def moontide_event_subscribers() -> list[EventSubscriber]:
    """Return what posts notices."""
    return [
        EventSubscriber(tell, kinds=(AlertNotice,), module=network, keep_trying_seconds=KEEP_TRYING_SECONDS)
    ]
