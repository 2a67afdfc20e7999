"""What is written of a run at each step of its way, and what everybody is told once that is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any

from engine.errors import JobFileError
from engine.events import Events, RunFinished, RunLogged, RunQueued, RunStarted
from engine.run import Beside, LogLine
from engine.runs.job import Source
from engine.runs.jobrows import patch_of
from engine.runs.liverun import LiveRun
from engine.runs.sources import KnownSources
from engine.store.journal import Journal
from engine.store.rows import Changes, PlannedRun, RunEnd, RunRow, RunStart, SourceRow


class RunRecords:
    """Commits the steps of runs, each together with what it means for the run's job."""

    def __init__(self, *, journal: Journal, events: Events, session: int) -> None:
        """Make it for the engine's present session."""
        self._journal = journal
        self._events = events
        self._session = session
        self.sources = KnownSources()

    async def queued(self, run: LiveRun) -> None:
        """Write that a run waits for its turn."""
        if run.written:
            await self._journal.together(Changes())
        else:
            await self._created(run)
        settle(run.recorded)
        self._tell_queued(run)

    async def started(self, run: LiveRun, now: datetime, source: Source | JobFileError | None) -> None:
        """Write that a run goes on from now, with the text that it runs."""
        run.begin(now)
        source_hash = source.hash if isinstance(source, Source) else None
        texts = self._texts(source) if isinstance(source, Source) else ()
        if run.written:
            start = RunStart(run.id, now, source_hash, run.version)
            await self._journal.run_started(start, patch_of(run.owner), texts)
        else:
            await self._created(run, source_hash, texts)
        settle(run.recorded)
        self._tell_started(run)

    async def handed_over(self, run: LiveRun, source: Source, beside: Beside) -> None:
        """Write a run that waits to be taken elsewhere, together with what hands it over."""
        queued_before = run.recorded.done()
        texts = self._texts(source)
        if run.written:
            await self._journal.together(Changes(sources=texts, beside=(beside,)))
        else:
            await self._created(run, source.hash, texts, (beside,))
        settle(run.recorded)
        if not queued_before:
            self._tell_queued(run)

    def taken(self, run: LiveRun, now: datetime, source: Source, worker: str) -> Coroutine[Any, Any, None]:
        """Write that a run which was handed over goes on with a worker from now.

        Returns:
            what waits for the commit and tells of it. The journal has the change already: whatever is
            written of the run later comes after.
        """
        run.begin(now)
        start = RunStart(run.id, now, source.hash, run.version, worker)
        return self._tell_taken(run, self._journal.run_started(start, patch_of(run.owner)))

    async def _tell_taken(self, run: LiveRun, written: asyncio.Future[None]) -> None:
        await written
        self._tell_started(run)

    async def ended(
        self,
        run: LiveRun,
        end: RunEnd,
        retry: PlannedRun | None = None,
        *,
        cleared: tuple[str, ...] = (),
        modules: Iterable[tuple[str, bytes]] = (),
        beside: tuple[Beside, ...] = (),
    ) -> None:
        """Write how a run ended, and its retry; `tell_ended` is left to the caller.

        Args:
            cleared: the job, if it keeps its state no longer.
            modules: the library modules that it loaded, each one's text with its hash in front.
            beside: what others write with it.
        """
        texts = self.sources.new_rows(modules)
        await self._journal.run_finished(
            run.id, end, patch_of(run.owner), retry, cleared=cleared, sources=texts, beside=beside
        )

    def tell_ended(self, run: LiveRun, end: RunEnd, retry: PlannedRun | None = None) -> None:
        """Tell everybody how a run ended."""
        returned = end.returned.value if end.returned else None
        self._events.publish(
            RunFinished(
                end.finished,
                run.id,
                run.job,
                end.status.value,
                returned,
                end.duration_ms,
                end.error,
                retry.id if retry else None,
            )
        )

    def keeper(self, run: LiveRun) -> Callable[[LogLine], None]:
        """Return what writes each new line of a run's log, and tells of it."""

        def keep(line: LogLine) -> None:
            if line.number <= run.log_lines:
                return
            run.log_lines = line.number
            self._journal.log_lines(run.id, [line])
            self._events.publish(RunLogged(line.at, run.id, run.job, ((line.number, line.level, line.text),)))

        return keep

    def owe(self, run: LiveRun) -> None:
        """Have a run's row committed with its job's next patch, whoever writes that, if not before."""
        run.owner.owed[run.id] = lambda: self._row(run)

    def _created(
        self,
        run: LiveRun,
        source_hash: str | None = None,
        texts: tuple[SourceRow, ...] = (),
        beside: tuple[Beside, ...] = (),
    ) -> asyncio.Future[None]:
        run.owner.owed.pop(run.id, None)
        row = self._row(run, source_hash)
        return self._journal.run_created(
            row, patch_of(run.owner), texts, was_planned=run.planned, beside=beside
        )

    def _row(self, run: LiveRun, source_hash: str | None = None) -> RunRow:
        run.written = True
        return run.row(self._session, source_hash)

    def _texts(self, source: Source) -> tuple[SourceRow, ...]:
        return self.sources.new_rows([(source.hash, source.text)])

    def _tell_queued(self, run: LiveRun) -> None:
        self._events.publish(RunQueued(run.queued, run.id, run.job, run.trigger.value))

    def _tell_started(self, run: LiveRun) -> None:
        assert run.started is not None
        late_ms = (run.started - run.due).total_seconds() * 1000
        self._events.publish(
            RunStarted(run.started, run.id, run.job, run.trigger.value, run.attempt, late_ms)
        )


def settle(future: asyncio.Future[None], error: Exception | None = None) -> None:
    """Resolve a future, with an error if there is one, unless it is resolved already."""
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
        # Nobody may be waiting for it; what became of the run is told in any case.
        future.exception()
