"""The part of both clients that is about the audit trail: `client.audit`."""

from __future__ import annotations

from datetime import datetime

from engine.api.calls import Call, given
from engine.api.sending import AsyncSend, Send
from engine.views import AuditView


class AuditClient:
    """What `engine.api.operations.AuditOperations` describes."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def entries(
        self,
        *,
        since: datetime | None = None,
        who: str | None = None,
        target: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[AuditView]:
        return self._send(_entries(since, who, target, before, limit))


class AsyncAuditClient:
    """`AuditClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def entries(
        self,
        *,
        since: datetime | None = None,
        who: str | None = None,
        target: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[AuditView]:
        return await self._send(_entries(since, who, target, before, limit))


def _entries(
    since: datetime | None, who: str | None, target: str | None, before: int | None, limit: int
) -> Call[list[AuditView]]:
    params = given(
        since=since.isoformat() if since else None, who=who, target=target, before=before, limit=limit
    )
    return Call("GET", "/v1/audit", list[AuditView], params)
