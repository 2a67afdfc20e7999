"""The lease in the database: whatever engines do in whatever order, one of them leads at most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from engine.rules.lead import LEASE_SECONDS, LOCK_GRACE_SECONDS, Contender, Lease
from engine.store.database import Database
from engine.store.dialects import server_now
from engine.store.leases import read_lease, release_lease, renew_lease, secret_of_lease, take_lease
from engine.store.models import LEASE
from tests.engine.store.servers import KINDS, migrated

CONTENDERS = [Contender(f"node{n}", f"web{n}", "/srv/shop") for n in range(3)]


@pytest.fixture(scope="module", params=KINDS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with migrated(request.param, Path(tmp_path_factory.mktemp("lease"))) as database:
        yield database


@dataclass(frozen=True)
class Step:
    """Something that an engine does with the lease, or that time does to it."""

    what: str
    engine: int
    free_seconds: float = 0.0


STEPS = st.builds(
    Step,
    st.sampled_from(["take", "take", "renew", "release", "passes"]),
    st.integers(0, len(CONTENDERS) - 1),
    st.sampled_from([0.0, LOCK_GRACE_SECONDS]),
)


class Played:
    """Engines at one lease, beside what must be true of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.leases: dict[int, Lease] = {}
        self.leader: int | None = None
        self.holds = False
        self.terms = [0]
        with database.writer.begin() as connection:
            connection.execute(delete(LEASE))

    def do(self, step: Step) -> None:
        """Carry a step out and compare."""
        getattr(self, f"_{step.what}")(step)
        with self.database.writer.begin() as connection:
            lease, now = read_lease(connection)
        if lease is not None:
            assert lease.node == f"node{self.leader}"
            assert (lease.until > now) is self.holds
            assert lease.term == self.terms[-1]

    def _take(self, step: Step) -> None:
        with self.database.writer.begin() as connection:
            taken = take_lease(
                connection,
                CONTENDERS[step.engine],
                backend=step.engine,
                secret=f"secret{step.engine}",
                lock_free_seconds=step.free_seconds,
            )
        may = not self.holds or step.engine == self.leader or step.free_seconds >= LOCK_GRACE_SECONDS
        assert (taken is not None) is may
        if taken is not None:
            assert taken.term > self.terms[-1]
            self.terms.append(taken.term)
            self.leases[step.engine] = taken
            self.leader, self.holds = step.engine, True

    def _renew(self, step: Step) -> None:
        if step.engine in self.leases:
            with self.database.writer.begin() as connection:
                renewed = renew_lease(connection, self.leases[step.engine], backend=9)
            assert (renewed is not None) is (step.engine == self.leader)
            self.holds = self.holds or renewed is not None

    def _release(self, step: Step) -> None:
        if step.engine in self.leases:
            with self.database.writer.begin() as connection:
                release_lease(connection, self.leases[step.engine])
            self.holds = self.holds and step.engine != self.leader

    def _passes(self, step: Step) -> None:
        with self.database.writer.begin() as connection:
            past = server_now(connection.dialect.name, -0.001)
            connection.execute(update(LEASE).values(until=past))
        self.holds = False


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
def test_one_engine_leads_at_most_and_who_was_overtaken_can_do_nothing_to_the_lease(
    shared: Database, steps: list[Step]
) -> None:
    played = Played(shared)
    for step in steps:
        played.do(step)


def test_a_lease_holds_for_its_time_by_the_databases_clock(shared: Database) -> None:
    played = Played(shared)
    played.do(Step("take", 0))
    with shared.writer.begin() as connection:
        lease, now = read_lease(connection)
        assert lease is not None
        assert 0 < (lease.until - now).total_seconds() <= LEASE_SECONDS
        assert secret_of_lease(connection) == ("node0", "secret0")
        assert connection.scalar(select(LEASE.c.backend)) == 0
