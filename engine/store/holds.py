"""Holds in the database: each one is a row for as long as it lasts.

The functions that write are work for `Journal.transact`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, Engine, and_, delete, insert, select

from engine.rules.holds import Hold, HoldKey, HoldKind, HoldScope
from engine.store.dialects import upsert
from engine.store.models import AUDIT, HOLD
from engine.store.queries import reading
from engine.store.rows import AuditEntry

_KEY = ("kind", "scope", "target")
_COLUMNS = Hold.__slots__
_HOLD = select(*(HOLD.c[name] for name in _COLUMNS))


def keep_hold(connection: Connection, hold: Hold, entry: AuditEntry) -> None:
    """Write a hold, in place of one with its key, and the operator's action that made it."""
    replaced = tuple(name for name in _COLUMNS if name not in _KEY)
    connection.execute(upsert(connection.dialect.name, HOLD, _KEY, replaced), asdict(hold))
    _write_audit(connection, entry)


def drop_hold(connection: Connection, key: HoldKey, entry: AuditEntry | None) -> None:
    """Remove a hold, and write the operator's action that ended it, if it was one."""
    kind, scope, target = key
    same = and_(HOLD.c.kind == kind, HOLD.c.scope == scope, HOLD.c.target == target)
    connection.execute(delete(HOLD).where(same))
    if entry is not None:
        _write_audit(connection, entry)


def stored_holds(reader: Engine) -> list[Hold]:
    """Return all holds; it blocks for as long as the database takes.

    Raises:
        StoreUnavailable, StoreError: the database cannot be read.
    """
    with reading(reader) as connection:
        return [_hold(*row) for row in connection.execute(_HOLD)]


def _hold(
    kind: str, scope: str, target: str, note: str, actor: str, since: datetime, until: datetime | None
) -> Hold:
    return Hold(HoldKind(kind), HoldScope(scope), target, note, actor, since, until)


def _write_audit(connection: Connection, entry: AuditEntry) -> None:
    connection.execute(insert(AUDIT).values(asdict(entry)))
