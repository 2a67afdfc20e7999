"""What operators may ask about runs: which there are, how many, and what they ran."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.desks.difference import Code, compare
from engine.errors import JobFileError, RunNotFound
from engine.jobs.jobfolder import SUFFIX, library_path, read_job_file
from engine.runfilter import RunFilter, has_tag
from engine.runs.job import Job
from engine.runs.line import Wait
from engine.states import RunStatus
from engine.store.history import History
from engine.store.indexer import Indexer
from engine.store.queries import Queries
from engine.store.timelines import Steps, Timelines
from engine.times.clock import Clock
from engine.views import (
    DiffView,
    FailuresView,
    ModuleSourceView,
    RunSourceView,
    RunView,
    TimelineView,
)


class HistoryDesk:
    """Answers the API's questions about runs (see `engine.api.historyoperations.HistoryOperations`)."""

    def __init__(
        self,
        *,
        history: History,
        timelines: Timelines,
        clock: Clock,
        queries: Queries,
        indexer: Indexer,
        jobs: Mapping[str, Job],
        folder: Path,
        waits: Callable[[Iterable[int]], Mapping[int, Wait]],
        calls_of: Callable[[int], list[dict[str, Any]] | None],
    ) -> None:
        """Make a desk.

        Args:
            jobs: all jobs of now, by name.
            folder: the jobs folder.
            waits: tells how some runs wait for their turn.
            calls_of: tells what the core calls of a run under way took so far.
        """
        self._waits = waits
        self._calls_of = calls_of
        self._queries = queries
        self._folder = folder
        self._history = history
        self._timelines = timelines
        self._clock = clock
        self._indexer = indexer
        self._jobs = jobs

    async def find(self, wanted: RunFilter, *, before: int | None = None, limit: int = 50) -> list[RunView]:
        """Return runs, the newest first."""
        await self._make_searchable(wanted)
        among = self._tagged(wanted)
        found = await asyncio.to_thread(
            self._history.find, wanted, among=among, before_id=before, limit=limit
        )
        return self._as_now(found)

    async def run(self, run_id: int) -> RunView:
        """Return one run."""
        found = await asyncio.to_thread(self._queries.run, run_id)
        if found is None:
            raise RunNotFound(run_id)
        return self._as_now([found])[0]

    def _as_now(self, views: list[RunView]) -> list[RunView]:
        """Return runs with what is not on record: the places of those that wait, and calls under way."""
        waiting = [view.id for view in views if view.status == RunStatus.QUEUED]
        waits = self._waits(waiting) if waiting else {}
        return [self._with_calls(_with_wait(view, waits.get(view.id))) for view in views]

    def _with_calls(self, view: RunView) -> RunView:
        return replace(view, calls=self._calls_of(view.id)) if view.status == RunStatus.RUNNING else view

    async def counts(self, wanted: RunFilter) -> dict[str, int]:
        """Return how many runs there are in each status."""
        await self._make_searchable(wanted)
        return await asyncio.to_thread(self._history.counts, wanted, among=self._tagged(wanted))

    async def timeline(
        self, since: datetime, until: datetime, *, steps: int, jobs: int = 500
    ) -> TimelineView:
        """Return which jobs ran in which steps of a span of time, and how many runs went on at once."""
        span = _steps(since, until, steps)
        return await asyncio.to_thread(self._timelines.timeline, span, self._clock.now(), jobs)

    async def failures(self, since: datetime, until: datetime, *, steps: int, jobs: int = 10) -> FailuresView:
        """Return how many runs failed in each step of a span of time, and the jobs with most failures."""
        return await asyncio.to_thread(self._timelines.failures, _steps(since, until, steps), jobs)

    async def source(self, run_id: int) -> RunSourceView:
        """Return the code that a run ran."""
        return await asyncio.to_thread(self._source, run_id)

    async def diff(self, run_id: int, other_id: int | None) -> DiffView:
        """Return what changed from a run's code to another run's, or to the files of now."""
        before = await self.source(run_id)
        if other_id is None:
            after = await self._code_of_now(before)
        else:
            after = _code_of(await self.source(other_id))
        return await asyncio.to_thread(compare, _code_of(before), after)

    def _source(self, run_id: int) -> RunSourceView:
        run = self._queries.run(run_id)
        if run is None:
            raise RunNotFound(run_id)
        modules = run.modules or {}
        texts = self._history.sources({*modules.values(), run.source_hash or ""})
        return RunSourceView(
            run=run.id,
            job=run.job,
            version=run.version,
            path=run.job + SUFFIX,
            hash=run.source_hash,
            text=texts.get(run.source_hash or ""),
            modules={
                name: ModuleSourceView(library_path(name), source_hash, texts.get(source_hash))
                for name, source_hash in modules.items()
            },
        )

    async def _code_of_now(self, run: RunSourceView) -> Code:
        """Return the present files in the place of those that a run had; missing ones are left out."""
        paths = [run.path, *(module.path for module in run.modules.values())]
        texts = await asyncio.to_thread(lambda: {path: self._present(path) for path in paths})
        return Code("now", {path: text for path, text in texts.items() if text is not None})

    def _present(self, path: str) -> str | None:
        try:
            return read_job_file(self._folder, path).decode("utf-8")
        except JobFileError:
            return None

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


def _steps(since: datetime, until: datetime, count: int) -> Steps:
    if since >= until:
        raise JobFileError("the span ends before it begins: until must be later than since")
    return Steps(since, until, count)


def _with_wait(view: RunView, wait: Wait | None) -> RunView:
    return replace(view, position=wait.position, waits_for=wait.reason) if wait else view


def _code_of(source: RunSourceView) -> Code:
    files = {source.path: source.text, **{one.path: one.text for one in source.modules.values()}}
    return Code(f"run {source.run}", {path: text for path, text in files.items() if text is not None})
