"""What operators may ask about runs: which there are, how many, and what they ran."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from engine.job import Job
from engine.runfilter import RunFilter, has_tag
from engine.store.history import History
from engine.store.indexer import Indexer
from engine.views import RunView


class HistoryDesk:
    """Answers the API's questions about runs (see `engine.api.historyoperations.HistoryOperations`)."""

    def __init__(self, *, history: History, indexer: Indexer, jobs: Mapping[str, Job]) -> None:
        """Make a desk.

        Args:
            jobs: all jobs of now, by name.
        """
        self._history = history
        self._indexer = indexer
        self._jobs = jobs

    async def find(self, wanted: RunFilter, *, before: int | None = None, limit: int = 50) -> list[RunView]:
        """Return runs, the newest first."""
        await self._make_searchable(wanted)
        among = self._tagged(wanted)
        return await asyncio.to_thread(self._history.find, wanted, among=among, before_id=before, limit=limit)

    async def counts(self, wanted: RunFilter) -> dict[str, int]:
        """Return how many runs there are in each status."""
        await self._make_searchable(wanted)
        return await asyncio.to_thread(self._history.counts, wanted, among=self._tagged(wanted))

    async def _make_searchable(self, wanted: RunFilter) -> None:
        if wanted.text is not None:
            await self._indexer.flush()

    def _tagged(self, wanted: RunFilter) -> list[str] | None:
        """Return the jobs that have the tag that is asked for; None if none is."""
        if wanted.tag is None:
            return None
        return [
            name
            for name, job in self._jobs.items()
            if job.settings is not None and has_tag(job.settings.tags, wanted.tag)
        ]
