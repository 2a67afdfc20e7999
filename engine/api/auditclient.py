"""The part of both clients that is about the audit trail: `client.audit`."""

from __future__ import annotations

from datetime import datetime

from engine.api.calls import Call, Part, S, asked, given
from engine.views import AuditView


class AuditClient(Part[S]):
    """What `engine.api.operations.AuditOperations` describes."""

    @asked
    def entries(
        self,
        *,
        since: datetime | None = None,
        who: str | None = None,
        target: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Call[list[AuditView]]:
        params = given(since=since, who=who, target=target, before=before, limit=limit)
        return Call("GET", "/v1/audit", list[AuditView], params)
