"""Mails the notices of alerts to whom [email] names in alerts, or in receivers for single jobs."""

from __future__ import annotations

import logging

from moontide import AlertNotice, EventSubscriber, hookimpl
from plugins.email import PostOffice, email
from plugins.mail.delivery import deliver
from plugins.mail.message import Draft

logger = logging.getLogger("moontide.alerts")

#: For how long a mail is tried again.
KEEP_TRYING_SECONDS = 24 * 3600.0
#: A try that the engine cut off in its middle could arrive twice.
LONGEST_TRY_SECONDS = 50.0

PREFIX = "[moontide] "
FOOTER = "\n\n`moontide alerts` lists what goes on; `moontide alerts ack ALERT` says that you know of it.\n"


async def tell(notice: AlertNotice, office: PostOffice) -> None:
    """Send a notice.

    Raises:
        CoreError: nobody was accepted, or the server was not reached; another try may help.
    """
    settings, server = office.settings, office.server
    to = settings.told(notice.to)
    if not to or server is None:
        return
    draft = Draft(to=to, subject=PREFIX + notice.subject, text=notice.text + FOOTER)
    letter = await office.builder.build(draft)
    seconds = min(office.timeout_seconds, LONGEST_TRY_SECONDS)
    refused = await deliver(server, letter, tls=server.context, seconds=seconds)
    for address, reason in refused.items():
        logger.warning("alerts are not taken by %s: %s", address, reason)


@hookimpl
def moontide_event_subscribers() -> list[EventSubscriber]:
    """Return what mails notices."""
    return [
        EventSubscriber(tell, kinds=(AlertNotice,), module=email, keep_trying_seconds=KEEP_TRYING_SECONDS)
    ]
