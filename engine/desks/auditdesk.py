"""What operators may ask about what operators did."""

from __future__ import annotations

import asyncio
from datetime import datetime

from engine.store.auditqueries import AuditQueries
from engine.views import AuditView


class AuditDesk:
    """Answers the API's requests about the audit trail (see `engine.api.operations.AuditOperations`)."""

    def __init__(self, queries: AuditQueries) -> None:
        self._queries = queries

    async def entries(
        self,
        *,
        since: datetime | None = None,
        who: str | None = None,
        target: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[AuditView]:
        """Return operators' actions, the newest first."""
        return await asyncio.to_thread(
            self._queries.entries, since=since, who=who, target=target, before_id=before, limit=limit
        )
