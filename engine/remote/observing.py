"""Which workers there are, as far as an engine's runs on them ask."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy import Engine

from engine.errors import StoreError
from engine.remote.journey import Carried
from engine.states import NodeKind, NodeState
from engine.store.nodes import SILENT_SECONDS, NodeRow, Nodes, stored_nodes
from engine.times.clock import Clock

#: Seconds between two looks, while there are runs on workers.
LOOK_SECONDS = 2.0


class Observer:
    """Looks at the workers' rows, and judges by them how it stands with runs.

    A worker's heartbeats are by the database's clock; how long there was none is by this engine's, and only
    while the database answers: after an outage of it each worker has its time again.
    """

    def __init__(self, reader: Engine, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._workers: Sequence[NodeRow] = ()
        self._changed: dict[str, tuple[object, float]] = {}

    async def pause(self) -> None:
        """Wait until it is time for the next look."""
        await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Read the workers' rows.

        Raises:
            StoreError: the database cannot be read now.
        """
        try:
            nodes = await asyncio.to_thread(stored_nodes, self._reader)
        except StoreError:
            self._changed.clear()
            raise
        self._workers = [row for row in nodes.rows if row.kind == NodeKind.WORKER]
        self._note_changes(nodes)

    def _note_changes(self, nodes: Nodes) -> None:
        now, before = self._clock.monotonic(), self._changed
        missing = {node: seen for node, seen in before.items() if seen[0] is None}
        self._changed = missing
        for row in nodes.rows:
            said, since = before.get(row.id, (None, now))
            self._changed[row.id] = (row.heartbeat, since if said == row.heartbeat else now)

    def judge(self, run: Carried) -> None:
        """Say what a run waits for, or that its worker is gone."""
        node = run.standing.node if run.standing else None
        if node is None:
            run.handed.waits_for = self._lacking(run.request.runs_on)
            return
        if (why := self._why_lost(node)) is not None and run.lost is None:
            run.lost = f"worker {run.standing.worker if run.standing else node} was lost: {why}"
            run.news.set()

    def _why_lost(self, node: str) -> str | None:
        row = next((row for row in self._workers if row.id == node), None)
        if row is None:
            return self._why_missing(node)
        if row.state == NodeState.GONE:
            return "it ended before the run did"
        silent = self._clock.monotonic() - self._changed[node][1]
        return f"no sign of life for {silent:.0f} s" if silent > SILENT_SECONDS else None

    def _why_missing(self, node: str) -> str | None:
        # A worker that has just come may stand here later than the run that it took.
        now = self._clock.monotonic()
        _, since = self._changed.setdefault(node, (None, now))
        return "its row was removed" if now - since > SILENT_SECONDS else None

    def _lacking(self, wanted: Sequence[str]) -> str:
        working = [row for row in self._workers if row.state == NodeState.WORKING and not row.drain]
        fitting = [row for row in working if set(wanted) <= set(row.tags)]
        if wanted and not fitting:
            return f"no worker offers {' and '.join(wanted)}"
        if not working:
            return "no worker is there; `moontide worker` starts one"
        return "a worker with a free slot"
