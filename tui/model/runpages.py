"""The runs that a filter means, as far as they were fetched: the newest first, older ones page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.views import ListedJob, RunView
from tui.model.runfilters import Asked, run_fits

if TYPE_CHECKING:
    from engine.api.client import AsyncClient

PAGE_RUNS = 300
#: Where only few of the runs fit what is looked for here, so many pages are fetched in a row.
PAGES_IN_A_ROW = 10
#: So many runs that fit are enough for a screen.
ENOUGH = 60

Jobs = Mapping[str, ListedJob]


class RunPages:
    """What was fetched for one filter.

    Attributes:
        all_here: nothing older is on record.
    """

    def __init__(self, asked: Asked | None = None) -> None:
        self.asked = asked or Asked()
        self.all_here = bool(self.asked.problem)
        self._runs: list[RunView] = []

    def shown(self, jobs: Jobs) -> list[RunView]:
        """Return the runs that fit."""
        return [run for run in self._runs if run_fits(run, self.asked.rest, jobs)]

    async def fetch_newest(self, client: AsyncClient, jobs: Jobs) -> None:
        """Fetch the newest runs anew; the older ones that were fetched before stay.

        Raises:
            MoontideError: the engine did not answer, or cannot look for what is asked.
        """
        if self.asked.problem:
            return
        before = None if self.asked.newest is None else self.asked.newest + 1
        newest = await client.history.find(self.asked.wanted, before=before, limit=PAGE_RUNS)
        oldest = newest[-1].id if newest else 0
        self.all_here = self.all_here or len(newest) < PAGE_RUNS
        self._runs = [*newest, *(run for run in self._runs if run.id < oldest)]
        if len(self.shown(jobs)) < ENOUGH:
            await self.fetch_older(client, jobs)

    async def fetch_older(self, client: AsyncClient, jobs: Jobs) -> None:
        """Fetch runs older than those that are here, until some of them fit.

        Raises:
            MoontideError: as `fetch_newest`.
        """
        known = len(self.shown(jobs))
        for _ in range(PAGES_IN_A_ROW):
            if self.all_here or not self._runs or len(self.shown(jobs)) >= known + ENOUGH:
                return
            await self._fetch_page(client)

    async def _fetch_page(self, client: AsyncClient) -> None:
        before = self._runs[-1].id
        older = await client.history.find(self.asked.wanted, before=before, limit=PAGE_RUNS)
        self.all_here = len(older) < PAGE_RUNS
        self._runs += [run for run in older if run.id < self._runs[-1].id]
