"""Takes the words of ended runs into the index, beside the runs and not in their way.

A run's end is committed without its words. They follow a moment later, those of many runs in one commit, and
at once when somebody searches. What an engine leaves undone, the next one finds at its start.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from functools import partial

from sqlalchemy import Engine

from engine.errors import StoreError
from engine.events import Event, RunFinished, RunLogged
from engine.store.journal import Journal
from engine.store.queries import reading
from engine.store.search import index_runs, unindexed

logger = logging.getLogger("moontide.indexer")

#: How long ended runs are gathered before their words are indexed together.
GATHER_SECONDS = 2.0

#: One transaction takes about so many characters, and so many runs: a few milliseconds of the journal's time.
BATCH_CHARACTERS = 200_000
BATCH_RUNS = 200

#: What a line of a run is taken for whose length nobody has seen.
LINE_CHARACTERS = 80


class Indexer:
    """Hears of runs and hands their words to the index."""

    def __init__(self, *, journal: Journal, reader: Engine) -> None:
        self._journal = journal
        self._reader = reader
        self._written: dict[int, int] = {}
        self._pending: deque[tuple[int, int]] = deque()
        self._one_at_a_time = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin to find what earlier engines left undone; that takes seconds among very many runs."""
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        try:
            left = await asyncio.to_thread(self._left)
        except StoreError as error:
            logger.warning("runs of earlier engines may be missing in searches: %s", error)
            return
        self._pending.extend((run_id, lines * LINE_CHARACTERS) for run_id, lines in left)
        if left:
            self._wake()

    def take(self, event: Event) -> None:
        """Note what a run wrote, and that it ended."""
        if isinstance(event, RunLogged):
            characters = sum(len(text) for _, _, text in event.lines)
            self._written[event.run] = self._written.get(event.run, 0) + characters + 1
        elif isinstance(event, RunFinished):
            characters = self._written.pop(event.run, 0) + len(event.error or "")
            if characters:
                self._pending.append((event.run, characters))
                self._wake()

    async def flush(self) -> None:
        """Return once all runs that have ended are in the index.

        While the database takes no writes it returns at once, and they are indexed later.
        """
        if self._journal.stalled is not None:
            return
        if self._looking is not None:
            await asyncio.shield(self._looking)
        async with self._one_at_a_time:
            while self._pending:
                batch = self._next_batch()
                try:
                    await self._journal.transact(partial(index_runs, run_ids=batch))
                except StoreError as error:
                    logger.warning("the words of %d runs cannot be searched yet: %s", len(batch), error)
                    return

    async def stop(self) -> None:
        """Index what is left, as far as the database lets it."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            await self._task
        await self.flush()

    def _left(self) -> list[tuple[int, int]]:
        with reading(self._reader) as connection:
            return unindexed(connection)

    def _wake(self) -> None:
        if self._timer is None and not self._stopped:
            self._timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self.flush())

    def _next_batch(self) -> list[int]:
        batch: list[int] = []
        room = BATCH_CHARACTERS
        while self._pending and room > 0 and len(batch) < BATCH_RUNS:
            run_id, characters = self._pending.popleft()
            batch.append(run_id)
            room -= characters
        return batch
