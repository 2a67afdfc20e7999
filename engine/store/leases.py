"""The lease of the engine that leads: one row, read and written with the database's own clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Update, func, insert, literal, select, type_coerce, update

from engine.rules.lead import LEASE_SECONDS, Contender, Lease, may_take
from engine.states import NodeKind, NodeState
from engine.store.dialects import server_now
from engine.store.models import LEASE, NODE, UtcDateTime
from engine.store.nodes import SILENT_SECONDS

_ONLY = 1
_COLUMNS = tuple(LEASE.c[name] for name in Lease.__slots__)


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a leader learns when its lease is renewed.

    Attributes:
        others: how many other engines are there that could take the lead.
    """

    others: int


def lease_and_now(dialect: str) -> Select[Any]:
    """Return the question for the time by the database's clock, and the lease if there is one."""
    now = type_coerce(server_now(dialect), UtcDateTime())
    always = select(literal(_ONLY).label("id")).subquery()
    return select(now, *_COLUMNS).select_from(always.outerjoin(LEASE, LEASE.c.id == always.c.id))


def as_lease(values: Sequence[Any]) -> Lease | None:
    """Return the lease of a row's columns, or None where there is none."""
    return None if values[0] is None else Lease(*values)


def read_lease(connection: Connection) -> tuple[Lease | None, datetime]:
    """Return the lease, and the time by the database's clock."""
    now, *values = connection.execute(lease_and_now(connection.dialect.name)).one()
    return as_lease(values), now


def take_lease(
    connection: Connection, contender: Contender, *, backend: int, secret: str, lock_free_seconds: float
) -> Lease | None:
    """Take the lease in a transaction, with the next term; None: it may not be taken any more.

    Args:
        backend: the server's process that holds this engine's lock.
        secret: by which the leader knows what other engines forward to it in this term.
        lock_free_seconds: see `may_take`.
    """
    connection.execute(select(LEASE.c.id).where(LEASE.c.id == _ONLY).with_for_update())
    lease, now = read_lease(connection)
    if not may_take(lease, contender, now=now, lock_free_seconds=lock_free_seconds):
        return None
    values = {
        "term": lease.term + 1 if lease else 1,
        "node": contender.node,
        "host": contender.host,
        "home": contender.home,
        "backend": backend,
        "secret": secret,
        "until": server_now(connection.dialect.name, LEASE_SECONDS),
    }
    if lease is None:
        connection.execute(insert(LEASE).values(id=_ONLY, **values))
    else:
        connection.execute(update(LEASE).where(LEASE.c.id == _ONLY).values(values))
    return read_lease(connection)[0]


def renew_lease(connection: Connection, lease: Lease, *, backend: int) -> Renewed | None:
    """Let a leader's lease hold for another while; None: another engine has taken it.

    Args:
        backend: the server's process that holds the leader's lock now.
    """
    dialect = connection.dialect.name
    others = (
        select(func.count())
        .select_from(NODE)
        .where(
            NODE.c.kind == NodeKind.ENGINE.value,
            NODE.c.id != lease.node,
            NODE.c.state != NodeState.GONE.value,
            NODE.c.heartbeat > server_now(dialect, -SILENT_SECONDS),
        )
        .scalar_subquery()
    )
    row = connection.execute(
        _mine(lease).values(until=server_now(dialect, LEASE_SECONDS), backend=backend).returning(others)
    ).first()
    return None if row is None else Renewed(int(row[0]))


def release_lease(connection: Connection, lease: Lease) -> None:
    """Let a leader's lease run out now, unless another engine has taken it."""
    connection.execute(_mine(lease).values(until=server_now(connection.dialect.name)))


def _mine(lease: Lease) -> Update:
    return update(LEASE).where(LEASE.c.id == _ONLY, LEASE.c.term == lease.term, LEASE.c.node == lease.node)


def secret_of_lease(connection: Connection) -> tuple[str, str] | None:
    """Return who leads (the node's id) and the secret of its term; None if nobody ever did."""
    row = connection.execute(select(LEASE.c.node, LEASE.c.secret).where(LEASE.c.id == _ONLY)).first()
    return None if row is None else (str(row[0]), str(row[1]))
