"""The journal: the only writer of the database.

It takes changes on the engine's loop and hands them to a thread that commits them in groups (see
`engine.store.committing`): the busier the engine, the larger the groups. Nothing is acknowledged before its
commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from engine.errors import SessionClosed, StoreUnavailable
from engine.run import Beside, LogLine
from engine.store.claim import Claim
from engine.store.committing import Committer, Entry, Tidings
from engine.store.rows import AuditEntry, Changes, JobPatch, PlannedRun, RunEnd, RunRow, RunStart, SourceRow
from engine.times.clock import Clock

T = TypeVar("T")


class Journal:
    """Takes changes on the engine's loop and tells when each is durable.

    The futures that its methods return are done once the change is committed. Cancelling one does not
    take the change back. A future fails with `StoreError` if the database refuses that very change, and
    with `StoreUnavailable` if the journal was stopped before it could be committed.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock,
        on_stalled: Callable[[str, int], None],
        on_recovered: Callable[[float], None],
        claim: Claim | None = None,
        on_closed: Callable[[SessionClosed], None] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Prepare a journal; `start` begins its work.

        Args:
            engine: the database's writer, used by nobody else.
            on_stalled: called on the loop, once, when the database stops taking writes: the reason, and
                how many changes wait.
            on_recovered: called on the loop when all that waited is committed: seconds since the stall.
            claim: the session's right to write, on a database that may be on a server.
            on_closed: called on the loop, once, when that right is lost: all that waits and all that comes is
                refused with this error.
            loop: the loop to answer on, if another than the one that runs at `start`.
        """
        self.stalled: str | None = None
        self.waiting = 0
        self._on_stalled = on_stalled
        self._on_recovered = on_recovered
        self._on_closed = on_closed
        self._loop = loop
        self._taken: list[Entry] = []
        self._closing = False
        self._ended: asyncio.Future[None] | None = None
        tidings = Tidings(
            settled=self._settle,
            abandoned=self._abandon,
            stalled=self._report_stall,
            recovered=self._report_recovery,
            closed=self._report_closed,
            ended=self._end,
        )
        self._committer = Committer(engine, clock=clock, claim=claim, tidings=tidings)

    @property
    def commits(self) -> int:
        """How many transactions were committed."""
        return self._committer.commits

    @property
    def commit_seconds(self) -> float:
        """How long they took together."""
        return self._committer.commit_seconds

    def start(self) -> None:
        """Start the journal's thread; call it on the loop."""
        self._loop = self._loop or asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._committer.start(self._loop)

    async def stop(self, timeout_seconds: float = 5.0) -> int:
        """Commit all that waits and end the thread; nothing is taken any more.

        Args:
            timeout_seconds: how long to go on trying if the database takes no writes.

        Returns:
            how many changes had to be abandoned; their futures fail with `StoreUnavailable`.
        """
        if self._ended is None:
            return 0
        if not self._closing:
            self._closing = True
            self._hand_over()
            self._committer.close()
        await asyncio.wait([self._ended], timeout=timeout_seconds)
        self._committer.give_up()
        await self._ended
        return self.waiting

    def run_created(
        self,
        row: RunRow,
        job: JobPatch | None = None,
        sources: tuple[SourceRow, ...] = (),
        *,
        was_planned: bool = False,
        beside: tuple[Beside, ...] = (),
    ) -> asyncio.Future[None]:
        """Write a new run, with its job's new values and the text of its source if that may be new.

        Args:
            was_planned: it is one whose time has come; the planned row of its id goes.
            beside: what others write with it.
        """
        return self._commit(
            Changes(
                runs=(row,),
                jobs=(job,) if job else (),
                sources=sources,
                unplanned=(row.id,) if was_planned else (),
                beside=beside,
            )
        )

    def run_planned(self, planned: PlannedRun) -> asyncio.Future[None]:
        """Write a run to come."""
        return self._commit(Changes(planned=(planned,)))

    def together(self, changes: Changes) -> asyncio.Future[None]:
        """Write changes that belong together, all or nothing."""
        return self._commit(changes)

    def run_started(
        self, start: RunStart, job: JobPatch | None = None, sources: tuple[SourceRow, ...] = ()
    ) -> asyncio.Future[None]:
        """Write that a queued run is RUNNING, with the text of its source if that may be new."""
        return self._commit(Changes(starts=(start,), jobs=(job,) if job else (), sources=sources))

    def run_finished(
        self,
        run_id: int,
        end: RunEnd,
        job: JobPatch | None = None,
        retry: PlannedRun | None = None,
        *,
        cleared: tuple[str, ...] = (),
        sources: tuple[SourceRow, ...] = (),
        beside: tuple[Beside, ...] = (),
    ) -> asyncio.Future[None]:
        """Write how a run ended, what follows for its job, and its retry: all of it, or nothing.

        Args:
            cleared: the job, if it keeps its state no longer.
            sources: texts of library modules that may be new.
            beside: what others write with it.
        """
        return self._commit(
            Changes(
                ends=((run_id, end),),
                jobs=(job,) if job else (),
                planned=(retry,) if retry else (),
                cleared=cleared,
                sources=sources,
                beside=beside,
            )
        )

    def log_lines(self, run_id: int, lines: Sequence[LogLine]) -> None:
        """Write lines of a run's log; they are durable at the latest when the run's end is."""
        self._put(Entry(changes=Changes(lines=((run_id, tuple(lines)),))))

    def beside(self, beside: Beside) -> None:
        """Write something in its place between the other changes; nobody waits for it."""
        self._put(Entry(changes=Changes(beside=(beside,))))

    def job_changed(
        self,
        patches: Iterable[JobPatch],
        audit: AuditEntry | None = None,
        planned: Iterable[PlannedRun] = (),
    ) -> asyncio.Future[None]:
        """Write new values of jobs, the operator's action behind them and runs to come, all or nothing."""
        audits = (audit,) if audit else ()
        return self._commit(Changes(jobs=tuple(patches), audits=audits, planned=tuple(planned)))

    def audited(self, entry: AuditEntry) -> asyncio.Future[None]:
        """Write an operator's action that changed no row of a job."""
        return self._commit(Changes(audits=(entry,)))

    def check_available(self) -> None:
        """Refuse at once what would have to wait until the database takes writes again.

        Raises:
            StoreUnavailable: it takes none now.
        """
        if self.stalled is not None:
            raise StoreUnavailable(f"{self.stalled}; nothing new is taken until that is mended")

    def transact(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Do some work with the connection, in its place between the other changes.

        Args:
            work: called in the journal's thread inside a transaction that it must not end; called again if
                that transaction has to be repeated, so it must do nothing but use the connection.

        Returns:
            what `work` returned, or raised.
        """
        return self._promise(Entry(work=work))

    def _commit(self, changes: Changes) -> asyncio.Future[None]:
        return self._promise(Entry(changes=changes))

    def _promise(self, entry: Entry) -> asyncio.Future[Any]:
        assert self._loop is not None, "the journal was not started"
        entry.future = self._loop.create_future()
        self._put(entry)
        return entry.future

    def _put(self, entry: Entry) -> None:
        if self._closing:
            raise StoreUnavailable("the engine is stopping; nothing more is written")
        assert self._loop is not None, "the journal was not started"
        self.waiting += 1
        if not self._taken:
            self._loop.call_soon(self._hand_over)
        self._taken.append(entry)

    def _hand_over(self) -> None:
        """Give the thread what came in one turn of the loop: waking it costs more than an entry."""
        if self._taken:
            self._committer.put(self._taken)
            self._taken = []

    # What the thread tells

    def _settle(self, entries: Sequence[Entry]) -> None:
        self.waiting -= len(entries)
        for entry in entries:
            future = entry.future
            if future is None or future.done():
                continue
            if entry.error is None:
                future.set_result(entry.result)
            else:
                future.set_exception(entry.error)
                if isinstance(entry.error, SessionClosed):
                    # It is told once, by `on_closed`; who waited for this may be gone by then.
                    future.exception()

    def _abandon(self, entries: Sequence[Entry]) -> None:
        reason = f"the engine stopped before this was written ({self.stalled or 'no time was left'})"
        for entry in entries:
            if entry.future is not None and not entry.future.done():
                entry.future.set_exception(StoreUnavailable(reason))

    def _report_stall(self, reason: str) -> None:
        self.stalled = reason
        self._on_stalled(reason, self.waiting)

    def _report_recovery(self, seconds: float) -> None:
        self.stalled = None
        self._on_recovered(seconds)

    def _report_closed(self, error: SessionClosed) -> None:
        self.stalled = str(error)
        if self._on_closed is not None:
            self._on_closed(error)

    def _end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
