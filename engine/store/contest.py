"""How one of several engines on a database of a server comes to lead, and stays it.

The rules are in `engine.rules.lead`. What makes a second leader harmless is neither lock nor lease, but that
whoever takes the lead closes all earlier sessions in the same transaction (see `engine.store.claim`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, text

from engine.errors import ServerInUse, SessionClosed, StoreError, StoreUnavailable
from engine.rules.lead import (
    LEASE_SECONDS,
    LOOK_SECONDS,
    RENEW_SECONDS,
    Contender,
    Lease,
    may_end_lock,
    may_take,
    pause_before_look,
)
from engine.store.database import Database
from engine.store.leases import Renewed, as_lease, lease_and_now, release_lease, renew_lease, take_lease
from engine.store.migrations import HEAD
from engine.store.ownership import FIRST_PAUSE, LOCK_HOLDER, WAIT_SECONDS, Ownership
from engine.store.ownline import OwnLine
from engine.store.schema import migrate, stored_revision

logger = logging.getLogger("moontide.nodes")

_END_LOCK = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid AND usename = user")

# Who has written to this table in a transaction under way: an earlier leader that was frozen or cut off in
# the midst of one. Nobody else writes to it, but who leads.
_END_WRITERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE relation = 'session'::regclass AND mode = 'RowExclusiveLock' AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND pid <> pg_backend_pid() AND usename = user"
)


class TooLate(Exception):
    """The lead was there to take a moment ago, and is not any more."""


class Contest:
    """One engine's way to the lead, its time there, and its end; see the methods in this order."""

    def __init__(self, database: Database, contender: Contender) -> None:
        """Prepare it; nothing is opened yet."""
        self.lease: Lease | None = None
        self.seen: Lease | None = None
        self.secret = secrets.token_urlsafe(32)
        self.line = OwnLine(database)
        self._database = database
        self._contender = contender
        self._ownership = Ownership(database)
        self._free_since: float | None = None
        self._pause = LOOK_SECONDS
        self._renewing: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """See to it that the database has the tables of this version; only who holds the lock makes them.

        Raises:
            ServerInUse: an engine of another version works on it, or something moves it.
            NewerDatabase, StoreUnavailable, StoreError: the database cannot be used.
        """
        await asyncio.to_thread(self._prepare)

    async def win(self, *, patience_seconds: float | None = None) -> None:
        """Return once this engine may take the lead, and has the lock.

        Args:
            patience_seconds: how long to wait for it; None: for ever, also while the server is away.

        Raises:
            ServerInUse: another engine leads, and there is no more patience.
            StoreUnavailable: the server is away, and there is no patience.
        """
        began = time.monotonic()
        while not await self._may_lead(bears=patience_seconds is None):
            if patience_seconds is not None and time.monotonic() - began > patience_seconds:
                raise await asyncio.to_thread(self._ownership.in_use)
            await asyncio.sleep(self._pause if patience_seconds is None else FIRST_PAUSE)

    async def is_first(self) -> bool:
        """Return whether this engine need not wait for the lead, as far as can be seen.

        Raises:
            StoreUnavailable, StoreError: the database does not say.
        """
        return await asyncio.to_thread(self._look)

    def take(self, connection: Connection) -> None:
        """Take the lead in a transaction of the writer.

        Raises:
            TooLate: somebody else was faster; go back to `win`.
            DBAPIError: the database refused it; so does a row that another engine holds for too long.
        """
        connection.execute(_END_WRITERS)
        taken = take_lease(
            connection,
            self._contender,
            backend=self._ownership.backend,
            secret=self.secret,
            lock_free_seconds=self._free_for(),
        )
        if taken is None:
            raise TooLate("the engine that led has renewed its lease in the last moment")
        self.lease = taken

    def keep(self, session: int, on_closed: Callable[[SessionClosed], None]) -> None:
        """Hold the lead from now on; call it on the loop.

        Args:
            session: the id of this engine's session.
            on_closed: called when this engine leads no more: another one has taken the lead, or may have.
        """
        assert self.lease is not None, "there is no lead to keep"
        self._ownership.keep(session, on_closed)
        self._renewing = asyncio.get_running_loop().create_task(
            self._renew(self.lease, on_closed), name="lease"
        )

    async def stop(self) -> None:
        """Let another engine lead, at once if this one did."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait({self._renewing})
        if self.lease is not None:
            await asyncio.to_thread(self._release, self.lease)
        await self._ownership.stop()
        await asyncio.to_thread(self.line.close)

    # In threads, before this engine leads

    def _prepare(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._ownership.try_acquire():
            if self.line.do(stored_revision) == HEAD:
                return
            if time.monotonic() > deadline:
                raise ServerInUse(
                    f"{self._ownership.in_use()} (its tables are not those of this version, and cannot be "
                    "changed while it works)"
                )
            time.sleep(FIRST_PAUSE)
        migrate(self._database.writer)

    async def _may_lead(self, *, bears: bool) -> bool:
        try:
            return await asyncio.to_thread(self._look)
        except StoreError as error:
            if not bears:
                raise
            logger.debug("the database does not say who leads: %s", error)
            return False

    def _look(self) -> bool:
        lease, now, holder = self.line.do(_glimpse)
        self.seen = lease
        self._pause = pause_before_look(lease, now)
        own = self._ownership.backend
        self._note_free(holder in (None, own))
        if not may_take(lease, self._contender, now=now, lock_free_seconds=self._free_for()):
            self._ownership.let_go()
            return False
        if holder != own and may_end_lock(lease, holder, now):
            logger.warning("the engine that led is silent; its lock is taken away")
            self.line.do(lambda connection: connection.execute(_END_LOCK, {"pid": holder}))
        return self._ownership.try_acquire()

    def _note_free(self, is_free: bool) -> None:
        if not is_free:
            self._free_since = None
        elif self._free_since is None:
            self._free_since = time.monotonic()

    def _free_for(self) -> float:
        return 0.0 if self._free_since is None else time.monotonic() - self._free_since

    # While it leads

    async def _renew(self, lease: Lease, on_closed: Callable[[SessionClosed], None]) -> None:
        """Renew the lease again and again; end when another engine has it, or may have it."""
        holds_until, others = _now() + LEASE_SECONDS, 0
        while True:
            asked = _now()
            try:
                renewed = await self._renewed(lease, holds_until if others else None)
            except StoreError as error:
                logger.debug("the lease cannot be renewed now: %s", error)
                if others and _now() >= holds_until:
                    self._give_up(_lost(lease), on_closed)
                    return
            else:
                if renewed is None:
                    self._give_up(_taken(lease), on_closed)
                    return
                holds_until, others = asked + LEASE_SECONDS, renewed.others
            await asyncio.sleep(RENEW_SECONDS)

    def _give_up(self, error: SessionClosed, on_closed: Callable[[SessionClosed], None]) -> None:
        self.lease = None
        on_closed(error)

    async def _renewed(self, lease: Lease, deadline: float | None) -> Renewed | None:
        """Renew the lease.

        Args:
            deadline: when to wait for it no longer.

        Raises:
            StoreError: the database did not do it, or not in time.
        """
        work = asyncio.ensure_future(asyncio.to_thread(self.line.do, self._renewal(lease)))
        left = None if deadline is None else max(0.0, deadline - _now())
        done, _ = await asyncio.wait({work}, timeout=left)
        if not done:
            work.cancel()
            raise StoreUnavailable("the server does not answer")
        return work.result()

    def _renewal(self, lease: Lease) -> Callable[[Connection], Renewed | None]:
        backend = self._ownership.backend or lease.backend
        return lambda connection: renew_lease(connection, lease, backend=backend)

    def _release(self, lease: Lease) -> None:
        # Without the server nobody can be told; the lease runs out by itself then.
        with contextlib.suppress(StoreError):
            self.line.do(lambda connection: release_lease(connection, lease))


def _glimpse(connection: Connection) -> tuple[Lease | None, datetime, int | None]:
    question = lease_and_now(connection.dialect.name).add_columns(LOCK_HOLDER)
    now, *values, holder = connection.execute(question).one()
    return as_lease(values), now, holder


def _now() -> float:
    """Return seconds that go on also while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _taken(lease: Lease) -> SessionClosed:
    return SessionClosed(
        f"another engine has taken the lead from this one (term {lease.term}); this engine ends"
    )


def _lost(lease: Lease) -> SessionClosed:
    return SessionClosed(
        f"this engine could not renew its lead (term {lease.term}) for {LEASE_SECONDS:g} s, and another one "
        "may lead by now; this engine ends"
    )
