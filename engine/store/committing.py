"""The thread that commits what the journal has taken, in groups, and its connection.

What is handed over while a commit is under way goes into the next one, together. While the database takes no
writes, all of it is kept, and tried again until it does. If the database went away in the midst of a commit,
the claim tells afterwards whether that was committed: nothing is written twice.
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
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from engine.errors import SessionClosed, StoreError, StoreUnavailable
from engine.store.claim import Claim
from engine.store.dialects import translate
from engine.store.rows import Changes
from engine.store.writes import write
from engine.times.clock import Clock

logger = logging.getLogger("moontide.journal")

#: A transaction of so many entries takes no more: the first of them would only wait longer.
BATCH = 2000

#: Seconds between attempts while the database takes no writes.
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0


@dataclass(slots=True, eq=False)
class Entry:
    """One thing to commit: changes, or work that needs the connection.

    Attributes:
        future: of whoever waits for it; None if nobody does.
        result: what the work returned, once it is committed.
        error: why it was refused.
    """

    changes: Changes | None = None
    work: Callable[[Connection], Any] | None = None
    future: asyncio.Future[Any] | None = None
    result: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Tidings:
    """Who is told what by the thread; each is called on the loop.

    Attributes:
        settled: entries were committed, or refused with their error.
        abandoned: entries were given up, as the thread was told to.
        stalled: the database takes no writes any more, for a reason; told once.
        recovered: all that waited is committed: seconds since the stall.
        closed: the right to write is lost; told once.
        ended: the thread has come to its end.
    """

    settled: Callable[[Sequence[Entry]], None]
    abandoned: Callable[[Sequence[Entry]], None]
    stalled: Callable[[str], None]
    recovered: Callable[[float], None]
    closed: Callable[[SessionClosed], None]
    ended: Callable[[], None]


class Committer:
    """Commits entries in the order in which they come, on a thread of its own."""

    def __init__(self, engine: Engine, *, clock: Clock, claim: Claim | None, tidings: Tidings) -> None:
        """Prepare it; `start` begins its work.

        Args:
            engine: the database's writer, used by nobody else.
            claim: the session's right to write, on a database that may be on a server.
        """
        self.commits = 0
        self.commit_seconds = 0.0
        self._engine = engine
        self._clock = clock
        self._claim = claim
        self._tidings = tidings
        self._loop: asyncio.AbstractEventLoop
        self._queue: queue.SimpleQueue[list[Entry] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="moontide-journal", daemon=True)
        self._connection: Connection | None = None
        self._stalled_since: float | None = None
        self._unheard_of = 0
        self._closed: SessionClosed | None = None
        self._closing = False
        self._give_up = threading.Event()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the thread, which tells its tidings on a loop."""
        self._loop = loop
        self._thread.start()

    def put(self, entries: list[Entry]) -> None:
        """Have entries committed after those that were put before."""
        self._queue.put(entries)

    def close(self) -> None:
        """Commit what was put, then end; nothing may be put any more."""
        self._closing = True
        self._queue.put(None)

    def give_up(self) -> None:
        """End as soon as possible; what is not committed by then is abandoned."""
        self._give_up.set()

    def _work(self) -> None:
        left: list[Entry] = []
        try:
            left = self._commit_until_stopped()
        finally:
            self._close_connection(broken=False)
            self._tell(self._tidings.abandoned, left)
            self._tell(self._tidings.ended)

    def _commit_until_stopped(self) -> list[Entry]:
        """Commit batch after batch; return what was left when told to give up."""
        more = True
        while more:
            batch, more = self._next_batch()
            self._commit_batch(batch)
            if self._give_up.is_set():
                return [*batch, *self._drain()]
        return []

    def _next_batch(self) -> tuple[deque[Entry], bool]:
        """Wait for entries and return those there are; false with the last ones."""
        batch: deque[Entry] = deque()
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

    def _drain(self) -> list[Entry]:
        entries: list[Entry] = []
        while not self._queue.empty():
            entries.extend(self._queue.get_nowait() or ())
        return entries

    def _commit_batch(self, batch: deque[Entry]) -> None:
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

    def _attempt(self, batch: deque[Entry]) -> None:
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

    def _one_by_one(self, batch: deque[Entry], error: Exception) -> None:
        alone = len(batch) == 1
        if not alone:
            logger.warning("of %d changes one was refused; each is written alone: %s", len(batch), error)
        while batch:
            entry = batch[0]
            entry.error = error if alone else self._refusal(entry)
            if entry.error is not None and entry.future is None:
                logger.error("a change was refused and is lost: %s", entry.error)
            self._acknowledge(batch, 1)

    def _refuse_all(self, batch: deque[Entry], error: SessionClosed) -> None:
        if self._closed is None:
            self._closed = error
            self._tell(self._tidings.closed, error)
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

    def _refusal(self, entry: Entry) -> Exception | None:
        try:
            self._transact([entry])
        except (StoreUnavailable, SessionClosed):
            raise
        except Exception as error:
            return error
        return None

    def _transact(self, entries: Collection[Entry]) -> None:
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

    def _apply(self, connection: Connection, entries: Iterable[Entry]) -> None:
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

    def _acknowledge(self, batch: deque[Entry], count: int) -> None:
        done = [batch.popleft() for _ in range(count)]
        self._tell(self._tidings.settled, done)

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
            self._tell(self._tidings.stalled, reason)

    def _note_recovery(self) -> None:
        """Tell of the end of a stall once nothing waits any more."""
        if self._closed is not None:
            return
        if self._stalled_since is not None and (self._queue.empty() or self._closing):
            seconds = self._clock.monotonic() - self._stalled_since
            self._stalled_since = None
            self._tell(self._tidings.recovered, seconds)

    def _tell(self, what: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:
            logger.debug("the loop is closed; nobody hears of %s", what.__name__)
