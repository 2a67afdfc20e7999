"""Who may lead, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.rules.lead import (
    LEASE_SECONDS,
    LOCK_GRACE_SECONDS,
    LOOK_SECONDS,
    RENEW_SECONDS,
    Contender,
    Lease,
    may_end_lock,
    may_take,
    pause_before_look,
)

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
HOSTS = st.sampled_from(["web1", "web2"])
HOMES = st.sampled_from(["/srv/a", "/srv/b"])
SECONDS = st.floats(-60, 60).map(lambda value: round(value, 3))
CONTENDERS = st.builds(Contender, st.sampled_from("abc"), HOSTS, HOMES)
LEASES = st.builds(
    Lease,
    term=st.integers(1, 9),
    node=st.sampled_from("abc"),
    host=HOSTS,
    home=HOMES,
    backend=st.integers(1, 3),
    until=SECONDS.map(lambda seconds: NOON + timedelta(seconds=seconds)),
)


def test_the_first_engine_of_all_may_lead() -> None:
    assert may_take(None, Contender("a", "web1", "/srv/a"), now=NOON, lock_free_seconds=0)


@given(LEASES, CONTENDERS, st.floats(0, 10))
def test_a_lease_that_holds_can_only_be_taken_from_the_dead(
    lease: Lease, contender: Contender, free: float
) -> None:
    allowed = may_take(lease, contender, now=NOON, lock_free_seconds=free)
    same_home = lease.host == contender.host and lease.home == contender.home
    lock_was_let_go = free >= LOCK_GRACE_SECONDS
    if lease.until > NOON and not same_home and not lock_was_let_go:
        assert not allowed
    else:
        assert allowed


@given(LEASES, CONTENDERS, st.floats(0, 10), st.floats(0, 10))
def test_who_may_lead_now_may_lead_later_unless_the_lease_is_renewed(
    lease: Lease, contender: Contender, free: float, later: float
) -> None:
    if may_take(lease, contender, now=NOON, lock_free_seconds=free):
        then = NOON + timedelta(seconds=later)
        assert may_take(lease, contender, now=then, lock_free_seconds=free + later)


@given(LEASES, st.one_of(st.none(), st.integers(1, 3)))
def test_a_lock_is_taken_away_from_a_leader_alone_and_only_after_its_lease(
    lease: Lease, holder: int | None
) -> None:
    if may_end_lock(lease, holder, NOON):
        assert holder == lease.backend
        assert lease.until <= NOON
        assert may_take(lease, Contender("x", "other", "/home"), now=NOON, lock_free_seconds=0)
    assert not may_end_lock(None, holder, NOON)


@given(LEASES)
def test_a_look_comes_soon_and_never_much_after_the_end_of_the_lease(lease: Lease) -> None:
    pause = pause_before_look(lease, NOON)
    assert 0 < pause <= LOOK_SECONDS
    left = (lease.until - NOON).total_seconds()
    if 0 < left < LOOK_SECONDS:
        assert pause <= left + 0.1


def test_a_leader_may_miss_a_renewal() -> None:
    assert LEASE_SECONDS > 3 * RENEW_SECONDS
