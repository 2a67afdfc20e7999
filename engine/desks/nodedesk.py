"""What operators may ask about the engines and workers that share a database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from sqlalchemy import Connection, Engine, insert

from engine.desks.audit import audit_entry
from engine.errors import NotFound, Refused
from engine.states import NodeState
from engine.store.models import AUDIT
from engine.store.nodes import NodeRow, Nodes, ask_to_drain, forget, stored_nodes
from engine.store.presence import Transact
from engine.times.clock import Clock
from engine.views import NodeView

#: A clock that is off by more seconds is told of: due times would come that much early or late.
CLOCK_SECONDS = 2.0

SILENT = "silent"


def views_of(nodes: Nodes) -> list[NodeView]:
    """Return nodes as they are shown, with what is wrong with each."""
    leader = next((row for row in nodes.rows if row.state == NodeState.LEADING and nodes.alive(row)), None)
    return [_view(nodes, row, leader) for row in nodes.rows]


def problems_of(views: list[NodeView]) -> list[str]:
    """Return what is wrong with nodes, each with the node's name."""
    return [f"node {view.name}: {words}" for view in views for words in view.warnings]


def there(views: list[NodeView]) -> list[NodeView]:
    """Return the nodes that are neither gone nor silent."""
    return [view for view in views if _is_there(view)]


def mismatches_of(views: list[NodeView]) -> list[str]:
    """Return what makes runs go wrong at once, in a few words: another version, a clock that is off."""
    leader = next((view for view in views if view.state == NodeState.LEADING), None)
    found = []
    for view in there(views):
        if leader is not None and view.version != leader.version:
            found.append(f"{view.name} is version {view.version}")
        if abs(view.clock_ahead) > CLOCK_SECONDS:
            found.append(f"{view.name} clock {view.clock_ahead:+.1f} s")
    return found


def _view(nodes: Nodes, row: NodeRow, leader: NodeRow | None) -> NodeView:
    silent = nodes.silent(row)
    return NodeView(
        name=row.name,
        kind=row.kind,
        state=SILENT if silent else row.state,
        host=row.host,
        home=row.home,
        pid=row.pid,
        version=row.version,
        addresses=row.addresses,
        slots=row.slots,
        tags=row.tags,
        running=row.running,
        started=row.started,
        heartbeat=row.heartbeat,
        silent_seconds=max(0.0, round((nodes.now - row.heartbeat).total_seconds(), 1)),
        clock_ahead=round(row.clock_ahead, 3),
        drain=row.drain,
        warnings=_warnings(row, leader, silent=silent) if row.state != NodeState.GONE else [],
    )


def _warnings(row: NodeRow, leader: NodeRow | None, *, silent: bool) -> list[str]:
    found = []
    if silent:
        found.append(
            "it is not heard of any more; if it is gone for good, take it off with `moontide nodes forget`"
        )
    if abs(row.clock_ahead) > CLOCK_SECONDS:
        way = "ahead of" if row.clock_ahead > 0 else "behind"
        found.append(f"its clock is {abs(row.clock_ahead):.1f} s {way} the database's; set it right")
    if leader is not None and leader.id != row.id:
        if row.version != leader.version:
            found.append(f"it is version {row.version}, and the engine that leads is {leader.version}")
        if row.jobs_hash and leader.jobs_hash and row.jobs_hash != leader.jobs_hash:
            found.append(
                f"its jobs folder differs from that of {leader.name}, which leads; give both the same files"
            )
    return found


class NodeDesk:
    """Answers the API's requests about nodes (see `engine.api.operations.NodeOperations`)."""

    def __init__(
        self,
        *,
        clock: Clock,
        reader: Engine,
        transact: Transact,
        refresh: Callable[[], Awaitable[object]],
    ) -> None:
        """Make a desk.

        Args:
            transact: how rows are written.
            refresh: brings the row of this engine itself up to date.
        """
        self._clock = clock
        self._reader = reader
        self._transact = transact
        self._refresh = refresh

    async def nodes(self) -> list[NodeView]:
        """Return all engines and workers, by name."""
        await self._refresh()
        return await self.seen()

    async def seen(self) -> list[NodeView]:
        """Return the same as it stands in the database."""
        return views_of(await asyncio.to_thread(stored_nodes, self._reader))

    async def drain(self, name: str, *, actor: str) -> list[NodeView]:
        """Ask the nodes of a name to take nothing new and to end, and return them."""
        found = await self._named(name)
        if not there(found):
            raise Refused(f"node {name} is not there: it is {found[0].state}")

        def work(connection: Connection) -> None:
            self._note(connection, "drain", name, actor)
            ask_to_drain(connection, name)

        await self._transact(work)
        return await self._named(name)

    async def forget(self, name: str, *, actor: str) -> None:
        """Remove nodes that are gone or silent from the list."""
        found = await self._named(name)
        if alive := there(found):
            raise Refused(f"node {name} is there: it is {alive[0].state}; stop it first")
        rows = (await asyncio.to_thread(stored_nodes, self._reader)).rows
        ids = [row.id for row in rows if row.name == name]

        def work(connection: Connection) -> None:
            self._note(connection, "forget", name, actor)
            forget(connection, ids)

        await self._transact(work)

    async def _named(self, name: str) -> list[NodeView]:
        found = [view for view in await self.seen() if view.name == name]
        if not found:
            raise NotFound(f"no node named {name!r}; `moontide nodes` lists them")
        return found

    def _note(self, connection: Connection, action: str, name: str, actor: str) -> None:
        entry = audit_entry(self._clock.now(), actor, f"{action} node", name)
        connection.execute(insert(AUDIT).values(asdict(entry)))


def _is_there(view: NodeView) -> bool:
    return view.state not in (SILENT, NodeState.GONE)
