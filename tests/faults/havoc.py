"""One strike after another at a cluster under load, in an order that chance chooses."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.e2e.processes import until
from tests.faults.cluster import PATIENCE_SECONDS, Cluster, EnginePost, WorkerPost

#: How long a strike lasts that ends again: beyond a lease of an engine, and beyond the silence of a worker.
LONGEST_SECONDS = 22.0

#: How often it is waited for that all engines are there before the next strike.
WHOLE = 0.7


@dataclass
class Havoc:
    """What was done."""

    counted: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join(f"{number} x {what}" for what, number in sorted(self.counted.items()))


Strike = Callable[[Cluster], str]


def wreak(cluster: Cluster, strikes: Iterator[Strike], havoc: Havoc) -> None:
    """Strike under load until the strikes end; after each one wait until a run ends well."""
    with cluster.load():
        for strike in strikes:
            cluster.scene.progress.say("strikes", f"{havoc.counted.total()} done")
            cluster.scene.pass_time(cluster.chance.uniform(0.2, 1.5))
            if cluster.chance.random() < WHOLE:
                until(cluster.is_stood_by, PATIENCE_SECONDS)
            havoc.counted[strike(cluster)] += 1
            cluster.serves()


def in_turn(cluster: Cluster) -> Iterator[Strike]:
    """Give each strike once, in an order that chance chooses."""
    strikes = list(STRIKES)
    cluster.chance.shuffle(strikes)
    return iter(strikes)


def for_minutes(cluster: Cluster, minutes: float) -> Iterator[Strike]:
    """Give strikes at random until the time is up."""
    deadline = time.monotonic() + 60 * minutes
    while time.monotonic() < deadline:
        yield cluster.chance.choice(STRIKES)


def _worker(cluster: Cluster) -> WorkerPost:
    return cluster.chance.choice(cluster.workers)


def kill_leader(cluster: Cluster) -> str:
    """Kill the engine that leads; it is started again, and stands by if it comes too late."""
    cluster.pass_lead(EnginePost.kill)
    return "leader killed"


def freeze_leader(cluster: Cluster) -> str:
    """Freeze the engine that leads until another one has its place."""
    cluster.pass_lead(EnginePost.freeze).thaw()
    return "leader frozen"


def cut_leader(cluster: Cluster) -> str:
    """Cut the engine that leads off until another one has its place."""
    cluster.pass_lead(lambda leader: leader.host.cut()).host.heal()
    return "leader cut"


def kill_standby(cluster: Cluster) -> str:
    """Kill an engine that does not lead."""
    others = [post for post in cluster.engines if post is not cluster.leader()]
    cluster.chance.choice(others).kill()
    return "standby killed"


def kill_worker(cluster: Cluster) -> str:
    """Kill a worker, and start another one in its place."""
    _worker(cluster).kill()
    return "worker killed"


def freeze_worker(cluster: Cluster) -> str:
    """Freeze a worker for a while, perhaps for so long that its runs are given up."""
    worker = _worker(cluster)
    worker.freeze()
    cluster.scene.pass_time(cluster.chance.uniform(0.5, LONGEST_SECONDS))
    worker.thaw()
    return "worker frozen"


def cut_worker(cluster: Cluster) -> str:
    """Cut a worker off for a while, likewise."""
    worker = _worker(cluster)
    worker.host.cut()
    cluster.scene.pass_time(cluster.chance.uniform(0.5, LONGEST_SECONDS))
    worker.host.heal()
    return "worker cut"


def restart_server(cluster: Cluster) -> str:
    """Stop the database, in order or not, and start it again."""
    cluster.server.stop(cluster.chance.choice([signal.SIGINT, signal.SIGQUIT]))
    cluster.scene.pass_time(cluster.chance.uniform(0.1, 3.0))
    cluster.server.start()
    return "PostgreSQL restarted"


STRIKES: tuple[Strike, ...] = (
    kill_leader,
    freeze_leader,
    cut_leader,
    kill_standby,
    kill_worker,
    freeze_worker,
    cut_worker,
    restart_server,
)
