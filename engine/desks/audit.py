"""How an operator's action is put down for the audit table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.store.rows import AuditEntry


def audit_entry(
    at: datetime, actor: str, action: str, target: str, before: Any = None, after: Any = None
) -> AuditEntry:
    """Return the row of one action.

    Args:
        actor: who and by which way, such as "anna@web1 via socket".
        target: to what: a job's name, a run's id.
        before: what it was, as far as the action changed it.
        after: what it is now.
    """
    who, _, origin = actor.partition(" via ")
    return AuditEntry(
        at=at, actor=who, origin=origin, action=action, target=target, before=before, after=after
    )
