"""The engines and workers of a database: each has a row, and says by heartbeats that it is alive.

Times are by the database's own clock, so that those of several machines can be compared.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, type_coerce, update

from engine.states import NodeKind, NodeState
from engine.store.dialects import server_now
from engine.store.models import NODE, UtcDateTime
from engine.store.queries import reading

#: Seconds between two heartbeats.
BEAT_SECONDS = 5.0

#: Seconds without a heartbeat after which a node counts as silent.
SILENT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A node that joins.

    Attributes:
        name: what operators call it; each node of a database should have its own.
        host: the name of its machine.
        home: its home folder.
        addresses: where others reach its API: paths of Unix sockets, and URLs.
        slots: how many runs it carries out at once; None: no limit.
        tags: what it offers to runs.
        jobs_hash: tells whether its jobs folder is the same as another one's.
    """

    kind: NodeKind
    name: str
    host: str
    home: str
    pid: int
    version: str
    state: NodeState
    addresses: tuple[str, ...] = ()
    slots: int | None = None
    tags: tuple[str, ...] = ()
    jobs_hash: str | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node as it stands in the database.

    Attributes:
        clock_ahead: seconds by which its clock is ahead of the database's, as far as that is certain.
        drain: somebody asked it to take nothing new.
        started, heartbeat: by the database's clock.
    """

    id: str
    kind: str
    name: str
    host: str
    home: str
    pid: int
    version: str
    state: str
    addresses: list[str]
    tags: list[str]
    slots: int | None
    running: int
    jobs_hash: str | None
    clock_ahead: float
    drain: bool
    started: datetime
    heartbeat: datetime


@dataclass(frozen=True, slots=True)
class Nodes:
    """All nodes by name, and the time by the database's clock at which they were read."""

    rows: tuple[NodeRow, ...]
    now: datetime

    def silent(self, row: NodeRow) -> bool:
        """Return whether a node that did not say goodbye has not been heard of for too long."""
        age = (self.now - row.heartbeat).total_seconds()
        return row.state != NodeState.GONE and age > SILENT_SECONDS

    def alive(self, row: NodeRow) -> bool:
        """Return whether a node is there."""
        return row.state != NodeState.GONE and not self.silent(row)


@dataclass(frozen=True, slots=True)
class Beat:
    """What a node says of itself; what may change from one heartbeat to the next."""

    state: NodeState
    running: int = 0
    clock_ahead: float = 0.0
    jobs_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a node is told when its heartbeat is taken.

    Attributes:
        drain: somebody asked it to take nothing new.
        now: the time by the database's clock.
    """

    drain: bool
    now: datetime


_ROW = select(*(NODE.c[name] for name in NodeRow.__slots__)).order_by(NODE.c.name, NODE.c.started)


def join(connection: Connection, newcomer: Newcomer) -> None:
    """Write a node's row, in the place of what earlier lives of the same name left there."""
    same = (
        (NODE.c.kind == newcomer.kind.value)
        & (NODE.c.name == newcomer.name)
        & (NODE.c.host == newcomer.host)
        & (NODE.c.home == newcomer.home)
    )
    connection.execute(delete(NODE).where(same))
    now = server_now(connection.dialect.name)
    values: dict[str, Any] = {name: getattr(newcomer, name) for name in Newcomer.__slots__}
    values |= {
        "kind": newcomer.kind.value,
        "state": newcomer.state.value,
        "addresses": list(newcomer.addresses),
        "tags": sorted(newcomer.tags),
    }
    connection.execute(insert(NODE).values(**values, started=now, heartbeat=now))


def clear(connection: Connection) -> None:
    """Remove all nodes: for a database that one engine has for itself, which may have been elsewhere."""
    connection.execute(delete(NODE))


def beat(connection: Connection, node: str, said: Beat) -> Heard | None:
    """Take a node's heartbeat; None: its row is no more, as somebody had it forgotten."""
    now = server_now(connection.dialect.name)
    values: dict[str, Any] = {
        "state": said.state.value,
        "running": said.running,
        "clock_ahead": said.clock_ahead,
    }
    if said.jobs_hash is not None:
        values["jobs_hash"] = said.jobs_hash
    statement = (
        update(NODE)
        .where(NODE.c.id == node)
        .values(**values, heartbeat=now)
        .returning(NODE.c.drain, type_coerce(now, UtcDateTime()))
    )
    row = connection.execute(statement).first()
    return None if row is None else Heard(bool(row[0]), row[1])


def leave(connection: Connection, node: str) -> None:
    """Write that a node ended as it should."""
    now = server_now(connection.dialect.name)
    gone = update(NODE).where(NODE.c.id == node)
    connection.execute(gone.values(state=NodeState.GONE.value, running=0, heartbeat=now))


def ask_to_drain(connection: Connection, name: str, *, drain: bool = True) -> int:
    """Ask the nodes of a name to take nothing new, or to go on; return how many there are."""
    return connection.execute(update(NODE).where(NODE.c.name == name).values(drain=drain)).rowcount


def forget(connection: Connection, nodes: list[str]) -> int:
    """Remove the rows of nodes by their ids; return how many there were. One that lives joins anew."""
    return connection.execute(delete(NODE).where(NODE.c.id.in_(nodes))).rowcount


def nodes_in(connection: Connection) -> Nodes:
    """Return all nodes."""
    now = connection.scalar(select(type_coerce(server_now(connection.dialect.name), UtcDateTime())))
    assert now is not None
    return Nodes(tuple(NodeRow(*row) for row in connection.execute(_ROW)), now)


def stored_nodes(reader: Engine) -> Nodes:
    """Return all nodes; it blocks for as long as the database takes.

    Raises:
        StoreUnavailable, StoreError: the database cannot be read.
    """
    with reading(reader) as connection:
        return nodes_in(connection)
