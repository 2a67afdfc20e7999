"""What a worker reports: logs and ends of its runs, all that is there together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from engine.errors import StoreError
from engine.legible import legible
from engine.remote.inhand import GATHER_SECONDS, TOGETHER_SECONDS, InHand
from engine.remote.parcels import End, end_bytes, lines_bytes
from engine.run import LogLine, Outcome
from engine.store import workerside
from engine.store.link import FIRST_PAUSE, LONGEST_PAUSE, Link

logger = logging.getLogger("moontide.worker")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is reported together."""

    ended: list[tuple[int, str, bytes]]
    chunks: list[tuple[int, str, int, bytes]]


class Reporter:
    """Sends what runs have written, and how they ended."""

    def __init__(self, link: Link, *, node: str, name: str, refused: Callable[[InHand], None]) -> None:
        """Make it.

        Args:
            node: this worker's id.
            name: what it is called.
            refused: called with a run that was given up meanwhile.
        """
        self._link = link
        self._node = node
        self._name = name
        self._refused = refused
        self._dirty: dict[int, InHand] = {}
        self._sending: asyncio.Task[None] | None = None
        self._told: dict[int, asyncio.Future[None]] = {}

    def line(self, run: InHand, line: LogLine) -> None:
        """Take a line of a run's log."""
        run.lines.append((line.level, line.text))
        if run.sending is None:
            run.sending = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._send, run)

    async def ended(self, run: InHand) -> None:
        """Report a run's end; returns once it is written, or refused."""
        if run.sending is not None:
            run.sending.cancel()
        told = self._told[run.run_id] = asyncio.get_running_loop().create_future()
        self._send(run)
        await told

    def _send(self, run: InHand) -> None:
        self._dirty[run.run_id] = run
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all(), name="reports")

    async def _send_all(self) -> None:
        pause = FIRST_PAUSE
        try:
            while self._dirty:
                runs, self._dirty = self._dirty, {}
                batch = _batch(list(runs.values()))
                while not await self._sent(runs, batch):
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                pause = FIRST_PAUSE
                await asyncio.sleep(TOGETHER_SECONDS)
        finally:
            self._sending = None

    async def _sent(self, runs: dict[int, InHand], batch: Batch) -> bool:
        try:
            late = await self._write(runs, batch)
        except StoreError as error:
            # Also what the database refuses is tried again: a run whose end was dropped would never end.
            logger.warning("runs cannot be reported on now: %s", error)
            return False
        for run_id, _, _ in batch.ended:
            told = self._told.pop(run_id)
            if not told.done():
                told.set_result(None)
        for run_id in late:
            self._refused(runs[run_id])
        return True

    async def _write(self, runs: dict[int, InHand], batch: Batch) -> set[int]:
        """Write a batch, and return the runs for which it does not count; all of it may be repeated."""
        counted = await self._add_lines(batch.chunks) if batch.chunks else set()
        counted |= await self._link.use(lambda one: workerside.end_runs(one, batch.ended, self._node))
        late = ({one[0] for one in batch.ended} | {one[0] for one in batch.chunks}) - counted
        if late:
            await self._keep_superseded([runs[run_id] for run_id in late])
        return late

    async def _add_lines(self, chunks: list[tuple[int, str, int, bytes]]) -> set[int]:
        async with self._link.transaction() as connection:
            return await workerside.add_lines(connection, chunks, self._node)

    async def _keep_superseded(self, late: list[InHand]) -> None:
        said = [
            (run.run_id, run.token, self._said(_writable(run.outcome)))
            for run in late
            if run.outcome is not None
        ]
        async with self._link.transaction() as connection:
            kept = await workerside.keep_superseded(connection, said, datetime.now(UTC))
        for run_id in kept:
            logger.warning("run %s was given up; how it ended here is kept as superseded", run_id)

    def _said(self, outcome: Outcome) -> dict[str, str | None]:
        return {"worker": self._name, "status": outcome.status.value, "error": outcome.error}


def _writable(outcome: Outcome) -> Outcome:
    """Return an outcome whose error a database takes, whatever a plugin has put into it."""
    if outcome.error is None:
        return outcome
    return replace(outcome, error=legible(outcome.error).encode("utf-8", "replace").decode())


def _batch(runs: list[InHand]) -> Batch:
    batch = Batch([], [])
    for run in runs:
        run.sending = None
        lines, run.lines = run.lines, []
        if run.outcome is not None:
            batch.ended.append((run.run_id, run.token, end_bytes(End(_writable(run.outcome), tuple(lines)))))
        elif lines:
            run.sent += 1
            batch.chunks.append((run.run_id, run.token, run.sent, lines_bytes(lines)))
    return batch
