"""Which of several engines on one database may lead: pure rules on what stands in the database.

The leader holds a lease, and renews it long before it runs out. Beside it the leader holds a lock, which the
server lets go as soon as the leader's connection ends: that shows the death of a process at once, the lease
shows all else, such as a process that is frozen or cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: Seconds for which a lease holds after each renewal.
LEASE_SECONDS = 5.0

#: Seconds between two renewals.
RENEW_SECONDS = 1.5

#: Seconds between two looks of an engine that stands by.
LOOK_SECONDS = 1.0

#: Seconds for which a leader's lock may be free while its lease holds: its connection may just have broken.
LOCK_GRACE_SECONDS = 3.0

_JUST_AFTER = 0.01


@dataclass(frozen=True, slots=True)
class Lease:
    """Who leads, or led last.

    Attributes:
        term: grows with each new leader.
        node: the leader's id.
        host, home: the machine and the home folder of the leader.
        backend: the server's process that holds the leader's lock.
        until: when it runs out, by the database's clock.
    """

    term: int
    node: str
    host: str
    home: str
    backend: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Contender:
    """An engine that may want to lead."""

    node: str
    host: str
    home: str


def has_run_out(lease: Lease | None, now: datetime) -> bool:
    """Return whether nobody leads by the lease; a leader that stops lets its lease run out at once."""
    return lease is None or lease.until <= now


def may_take(lease: Lease | None, contender: Contender, *, now: datetime, lock_free_seconds: float) -> bool:
    """Return whether an engine may take the lead, if it gets the lock.

    Args:
        now: by the database's clock.
        lock_free_seconds: for how long nobody was seen with the lock.
    """
    if lease is None or has_run_out(lease, now):
        return True
    # One engine works in a home: what led from this one is dead.
    if (lease.host, lease.home) == (contender.host, contender.home):
        return True
    return lock_free_seconds >= LOCK_GRACE_SECONDS


def may_end_lock(lease: Lease | None, holder: int | None, now: datetime) -> bool:
    """Return whether the connection that holds the lock may be ended: a leader's whose lease ran out.

    Args:
        holder: the server's process that holds the lock.
    """
    return lease is not None and holder == lease.backend and has_run_out(lease, now)


def pause_before_look(lease: Lease | None, now: datetime) -> float:
    """Return after how many seconds who stands by looks again: when the lease runs out, or before."""
    if lease is None or has_run_out(lease, now):
        return LOOK_SECONDS
    return min(LOOK_SECONDS, (lease.until - now).total_seconds() + _JUST_AFTER)
