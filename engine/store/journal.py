"""The journal: the only writer of the database, one thread that commits in groups.

What is handed over while a commit is under way goes into the next one, together: the busier the engine,
the larger the groups. Nothing is acknowledged before its commit. While the database takes no writes, all
that was handed over is kept, and tried again until it does. If the database went away in the midst of a
commit, the claim tells afterwards whether that was committed: nothing is written twice.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from engine.errors import SessionClosed, StoreError, StoreUnavailable
from engine.run import Beside, LogLine
from engine.store.claim import Claim
from engine.store.dialects import translate
from engine.store.rows import AuditEntry, Changes, JobPatch, PlannedRun, RunEnd, RunRow, RunStart, SourceRow
from engine.store.writes import write
from engine.times.clock import Clock

logger = logging.getLogger("moontide.journal")

T = TypeVar("T")

#: A transaction of so many entries takes no more: the first of them would only wait longer.
BATCH = 2000

#: Seconds between attempts while the database takes no writes.
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0


@dataclass(slots=True, eq=False)
class _Entry:
    """One thing to commit: changes, or work that needs the connection."""

    changes: Changes | None = None
    work: Callable[[Connection], Any] | None = None
    future: asyncio.Future[Any] | None = None
    result: Any = None
    error: Exception | None = None


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
        self.commits = 0
        self.commit_seconds = 0.0
        self._engine = engine
        self._clock = clock
        self._on_stalled = on_stalled
        self._on_recovered = on_recovered
        self._claim = claim
        self._on_closed = on_closed
        self._loop = loop
        self._taken: list[_Entry] = []
        self._queue: queue.SimpleQueue[list[_Entry] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="moontide-journal", daemon=True)
        self._connection: Connection | None = None
        self._stalled_since: float | None = None
        self._unheard_of = 0
        self._closed: SessionClosed | None = None
        self._closing = False
        self._give_up = threading.Event()
        self._ended: asyncio.Future[None] | None = None

    # What may be asked, on the loop.

    def start(self) -> None:
        """Start the journal's thread; call it on the loop."""
        self._loop = self._loop or asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._thread.start()

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
            self._queue.put(None)
        await asyncio.wait([self._ended], timeout=timeout_seconds)
        self._give_up.set()
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
        self._put(_Entry(changes=Changes(lines=((run_id, tuple(lines)),))))

    def beside(self, beside: Beside) -> None:
        """Write something in its place between the other changes; nobody waits for it."""
        self._put(_Entry(changes=Changes(beside=(beside,))))

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
        return self._promise(_Entry(work=work))

    def _commit(self, changes: Changes) -> asyncio.Future[None]:
        return self._promise(_Entry(changes=changes))

    def _promise(self, entry: _Entry) -> asyncio.Future[Any]:
        assert self._loop is not None, "the journal was not started"
        entry.future = self._loop.create_future()
        self._put(entry)
        return entry.future

    def _put(self, entry: _Entry) -> None:
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
            self._queue.put(self._taken)
            self._taken = []

    # What the thread tells, on the loop.

    def _settle(self, entries: Sequence[_Entry]) -> None:
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

    def _abandon(self, entries: Sequence[_Entry]) -> None:
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

    # The thread.

    def _work(self) -> None:
        left: list[_Entry] = []
        try:
            left = self._commit_until_stopped()
        finally:
            self._close_connection(broken=False)
            self._tell(self._abandon, left)
            self._tell(self._end)

    def _commit_until_stopped(self) -> list[_Entry]:
        """Commit batch after batch; return what was left when told to give up."""
        more = True
        while more:
            batch, more = self._next_batch()
            self._commit_batch(batch)
            if self._give_up.is_set():
                return [*batch, *self._drain()]
        return []

    def _next_batch(self) -> tuple[deque[_Entry], bool]:
        """Wait for entries and return those there are; false with the last ones."""
        batch: deque[_Entry] = deque()
        entries = self._queue.get()
        while entries is not None:
            batch.extend(entries)
            if len(batch) >= BATCH:
                return batch, True
            try:
                entries = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _drain(self) -> list[_Entry]:
        entries: list[_Entry] = []
        while not self._queue.empty():
            entries.extend(self._queue.get_nowait() or ())
        return entries

    def _commit_batch(self, batch: deque[_Entry]) -> None:
        """Commit all entries and take them off the batch, however long it takes, unless told to give up."""
        pause = FIRST_PAUSE
        while batch:
            try:
                self._attempt(batch)
            except StoreUnavailable as error:
                self._note_stall(str(error))
                if self._give_up.wait(FIRST_PAUSE if self._closing else pause):
                    return
                pause = min(2 * pause, LONGEST_PAUSE)
            except SessionClosed as error:
                self._refuse_all(batch, error)
        self._note_recovery()

    def _attempt(self, batch: deque[_Entry]) -> None:
        """Commit the batch in one transaction; if an entry is refused, each in its own."""
        began = time.monotonic()
        try:
            if self._closed is not None:
                raise self._closed
            if unheard := self._committed_unheard():
                self._acknowledge(batch, unheard)
            self._transact(batch)
        except (StoreUnavailable, SessionClosed):
            raise
        except Exception as error:
            self._one_by_one(batch, error)
        else:
            self.commits += 1
            self.commit_seconds += time.monotonic() - began
            self._acknowledge(batch, len(batch))

    def _one_by_one(self, batch: deque[_Entry], error: Exception) -> None:
        alone = len(batch) == 1
        if not alone:
            logger.warning("of %d changes one was refused; each is written alone: %s", len(batch), error)
        while batch:
            entry = batch[0]
            entry.error = error if alone else self._refusal(entry)
            if entry.error is not None and entry.future is None:
                logger.error("a change was refused and is lost: %s", entry.error)
            self._acknowledge(batch, 1)

    def _refuse_all(self, batch: deque[_Entry], error: SessionClosed) -> None:
        if self._closed is None:
            self._closed = error
            self._tell(self._report_closed, error)
        for entry in batch:
            entry.error = error
        self._acknowledge(batch, len(batch))

    def _committed_unheard(self) -> int:
        """Return how many entries the last transaction committed, if its end was not heard of."""
        if self._claim is None or not self._unheard_of:
            return 0
        with self._translated():
            connection = self._connected()
            with connection.begin():
                committed = self._claim.was_committed(connection)
        count, self._unheard_of = self._unheard_of, 0
        if not committed:
            return 0
        self._claim.note_committed()
        return count

    def _refusal(self, entry: _Entry) -> Exception | None:
        try:
            self._transact([entry])
        except (StoreUnavailable, SessionClosed):
            raise
        except Exception as error:
            return error
        return None

    def _transact(self, entries: Collection[_Entry]) -> None:
        if not entries:
            return
        self._unheard_of = 0
        with self._translated():
            connection = self._connected()
            with connection.begin():
                if self._claim is not None:
                    self._claim.renew(connection)
                self._apply(connection, entries)
                # From here on a lost connection leaves it open whether this was committed.
                self._unheard_of = len(entries)
            self._unheard_of = 0
            if self._claim is not None:
                self._claim.note_committed()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            ours = translate(error)
            if isinstance(ours, StoreUnavailable):
                self._close_connection(broken=True)
            raise ours from error
        except SQLAlchemyError as error:
            raise StoreError(f"the database refused: {error}") from error

    def _apply(self, connection: Connection, entries: Iterable[_Entry]) -> None:
        now = self._clock.now()
        changes: list[Changes] = []
        for entry in entries:
            if entry.changes is not None:
                changes.append(entry.changes)
            elif entry.work is not None:
                write(connection, changes, now)
                changes.clear()
                entry.result = entry.work(connection)
        write(connection, changes, now)

    def _acknowledge(self, batch: deque[_Entry], count: int) -> None:
        done = [batch.popleft() for _ in range(count)]
        self._tell(self._settle, done)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _close_connection(self, *, broken: bool) -> None:
        """Let go of the connection; a broken one is opened anew, as a disk mounted again needs it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if broken:
                connection.invalidate()
            connection.close()
        except SQLAlchemyError as error:
            logger.debug("closing the database connection: %s", error)

    def _note_stall(self, reason: str) -> None:
        if self._stalled_since is None:
            self._stalled_since = self._clock.monotonic()
            self._tell(self._report_stall, reason)

    def _note_recovery(self) -> None:
        """Tell of the end of a stall once nothing waits any more."""
        if self._closed is not None:
            return
        if self._stalled_since is not None and (self._queue.empty() or self._closing):
            seconds = self._clock.monotonic() - self._stalled_since
            self._stalled_since = None
            self._tell(self._report_recovery, seconds)

    def _tell(self, what: Callable[..., None], *arguments: Any) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:
            logger.debug("the loop is closed; nobody hears of %s", what.__name__)
