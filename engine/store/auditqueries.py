"""Reading the audit trail: what operators did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, func, or_, select

from engine.store.models import AUDIT
from engine.store.queries import reading
from engine.views import AuditView

_VIEW = select(*(AUDIT.c[name] for name in AuditView.__slots__)).order_by(AUDIT.c.id.desc())


class AuditQueries:
    """Questions about operators' actions; all functions block for as long as the database takes."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def entries(
        self,
        *,
        since: datetime | None = None,
        who: str | None = None,
        target: str | None = None,
        before_id: int | None = None,
        limit: int = 50,
    ) -> list[AuditView]:
        """Return operators' actions, the newest first.

        Args:
            since: only those at or after this time.
            who: only those of this one: the whole name, such as "anna@web1", or what stands before the @.
            target: only what was done to this job, run or group.
            before_id: only entries with an id below this one, for paging.

        Raises:
            StoreUnavailable, StoreError: the database cannot be read.
        """
        query = _VIEW.limit(limit)
        if since is not None:
            query = query.where(AUDIT.c.at >= since)
        if who is not None:
            # Not LIKE, for which SQLite takes upper and lower case as the same.
            named = func.substr(AUDIT.c.actor, 1, len(who) + 1) == f"{who}@"
            query = query.where(or_(AUDIT.c.actor == who, named))
        if target is not None:
            query = query.where(AUDIT.c.target == target)
        if before_id is not None:
            query = query.where(AUDIT.c.id < before_id)
        with reading(self._reader) as connection:
            return [AuditView(*row) for row in connection.execute(query)]
