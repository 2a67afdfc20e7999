"""Engines and workers on hosts of their own, and their PostgreSQL server, all of which can be struck."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sqlalchemy.engine import make_url

from engine.api.client import Client
from engine.errors import MoontideError
from engine.states import FINAL, RunStatus
from tests.e2e.conftest import MOONTIDE, STOP_SECONDS, Home
from tests.e2e.processes import descendants, until
from tests.faults import witness as witnesses
from tests.faults.hosts import Host, Network, network
from tests.faults.scene import EVERY_SECONDS, SETTINGS, Scene, Verdict, furnish
from tests.faults.several import serves
from tests.faults.witness import Witness
from tests.homebases import Homebase, homebase_on
from tests.services import OwnServer, own_pg, own_server

#: How long anything may take on a machine that is busy with other things.
PATIENCE_SECONDS = 300.0

SLOTS = 8

#: Runs of one who asks that have not ended; a starved machine must be able to come to an end.
MOST_OPEN = 15

_LEADS = "SELECT node.pid, lease.term FROM lease JOIN node ON node.id = lease.node WHERE lease.until > now()"
#: Runs that were asked for and have not ended, and those to come.
_ASKED = (
    "SELECT (SELECT count(*) FROM run WHERE finished IS NULL AND trigger <> 'schedule') "
    "+ (SELECT count(*) FROM planned_run)"
)
_ELSEWHERE = "SELECT count(*) FROM remote_run WHERE state <> 'lost'"


@dataclass
class EnginePost:
    """An engine on a host of its own; what starts it starts it again when it has ended."""

    host: Host
    scene: Scene

    @property
    def pid(self) -> int:
        return self.scene.served.process.pid

    @property
    def ended(self) -> bool:
        return self.scene.served.process.poll() is not None

    def start(self) -> None:
        """Start it, unless it goes on."""
        if self.scene.engine is None or self.ended:
            self.scene.start()

    def kill(self) -> None:
        """End it without a word, frozen or not."""
        self.scene.served.process.kill()
        self.scene.served.process.wait(STOP_SECONDS)

    def freeze(self) -> None:
        """Stop it, with all that it has started, as a machine that is suspended."""
        _signal(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        _signal(self.pid, signal.SIGCONT)


@dataclass
class WorkerPost:
    """A worker on a host of its own, likewise."""

    host: Host
    home: Home
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start it, unless it goes on."""
        if self.process is not None and self.process.poll() is None:
            return
        name = self.home.path.name
        with (self.home.path / "out.txt").open("ab") as out, (self.home.path / "err.txt").open("ab") as err:
            command = [MOONTIDE, "--home", str(self.home.path), "worker", "--name", name]
            self.process = subprocess.Popen(
                [*self.host.prefix, *command, "--slots", str(SLOTS)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=self.home.environment(),
            )

    def kill(self) -> None:
        """End it without a word."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STOP_SECONDS)

    def freeze(self) -> None:
        """Stop it, with all that it has started."""
        _signal(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        _signal(self.pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    for one in (pid, *(child.pid for child in descendants(pid))):
        with suppress(ProcessLookupError):
            os.kill(one, number)


@dataclass
class Cluster:
    """All of them, with what was asked of them and the witness."""

    kind: str
    folder: Path
    server: OwnServer
    base: Homebase
    engines: list[EnginePost]
    workers: list[WorkerPost]
    chance: random.Random
    takeovers: list[float] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)

    @property
    def scene(self) -> Scene:
        """What all engines share: orders and witness."""
        return self.engines[0].scene

    def start(self) -> None:
        """Start what has ended, as a service manager does."""
        for post in (*self.engines, *self.workers):
            post.start()

    def leader(self) -> EnginePost | None:
        """Return the engine that leads, if one does and the server says so."""
        return next((post for post in self.engines if post.pid == self._lease()[0]), None)

    def _lease(self) -> tuple[int, int]:
        """Return the process that leads and its term, or zeros."""
        with suppress(Exception):  # the server may be away, in many ways
            rows = self.base.rows(_LEADS)
            return (rows[0][0], rows[0][1]) if rows else (0, 0)
        return (0, 0)

    def term(self) -> int:
        """Return the term of the engine that leads."""
        return self._lease()[1]

    def is_stood_by(self) -> bool:
        """Return whether an engine leads, and all others have said that they stand by."""
        self.start()
        pids = ", ".join(str(post.pid) for post in self.engines)
        with suppress(Exception):  # likewise
            rows = self.base.rows(f"SELECT state FROM node WHERE kind = 'engine' AND pid IN ({pids})")
            return sorted(state for (state,) in rows) == ["leading", *["standby"] * (len(self.engines) - 1)]
        return False

    def pass_lead(self, strike: Callable[[EnginePost], None]) -> EnginePost:
        """Strike the engine that leads, and wait until another one does, and serves.

        How long that took is noted if there was one that stood by.

        Returns:
            the engine that was struck.
        """
        term, stood_by, struck = self.term(), self.is_stood_by(), self.leader()
        assert struck is not None, "nobody leads between two strikes"
        began = time.monotonic()
        strike(struck)
        until(lambda: self._has_passed(term), PATIENCE_SECONDS)
        if stood_by:
            self.takeovers.append(time.monotonic() - began)
        return struck

    def _has_passed(self, term: int) -> bool:
        self.start()
        leader = self.leader()
        return self.term() > term and leader is not None and serves(leader.scene.served)

    def serves(self) -> None:
        """Wait until a run that is asked for now ends well; note how long that took."""
        began = time.monotonic()
        until(self._carries_out, PATIENCE_SECONDS)
        self.recoveries.append(time.monotonic() - began)

    def _carries_out(self) -> bool:
        self.start()
        leader = self.leader()
        if leader is None:
            return False
        client = leader.scene.served.client
        with suppress(MoontideError):
            asked = leader.scene.submit(client, "quick")
            if asked.run is not None:
                run = asked.run
                until(lambda: self._has_ended(client, run), PATIENCE_SECONDS)
                return client.run(run).status == "COMPLETE"
        return False

    def _has_ended(self, client: Client, run_id: int) -> bool:
        self.start()
        return RunStatus(client.run(run_id).status) in FINAL

    @contextmanager
    def load(self, askers: int = 2) -> Iterator[None]:
        """Ask for runs all the time until the block ends, each of those who ask any of the engines."""
        with ExitStack() as stack:
            for number in range(askers):
                stack.enter_context(self.engines[number % len(self.engines)].scene.load(askers=1))
            yield

    def conclude(self) -> Verdict:
        """Let all runs end, stop everything in order, and let the checker judge what the database says."""
        self.scene.progress.say("all that was asked for comes to its end")
        until(lambda: self._is_none(_ASKED), PATIENCE_SECONDS)
        until(self._is_paused, PATIENCE_SECONDS)
        until(lambda: self._is_none(_ELSEWHERE), PATIENCE_SECONDS)
        until(self.is_stood_by, PATIENCE_SECONDS)
        leader = self.leader()
        assert leader is not None, "nobody leads in the end"
        self.scene.progress.say("engines and workers stop")
        for post in self.engines:
            if post is not leader:
                _stopped(post.scene.served.process)
        _stopped(leader.scene.served.process)
        for worker in self.workers:
            assert worker.process is not None
            _stopped(worker.process)
        copy = self.folder / "copy.db"
        moved = leader.scene.home.moontide("move-database", self.base.url, str(copy))
        assert moved.code == 0, moved.err
        return self.scene.check(copy)

    def _is_paused(self) -> bool:
        """Begin nothing new: what an engine that stops leaves on workers would wait for the next one."""
        self.start()
        leader = self.leader()
        with suppress(MoontideError):
            return leader is not None and leader.scene.served.client.holds.pause("engine") is not None
        return False

    def _is_none(self, question: str) -> bool:
        self.start()
        return self.leader() is not None and self.base.rows(question) == [(0,)]

    def end(self) -> None:
        """Leave nothing behind."""
        self.scene.progress.end()
        for post in self.engines:
            if post.scene.engine is not None:
                post.thaw()
                post.scene.end()
        for worker in self.workers:
            if worker.process is not None:
                worker.thaw()
                worker.kill()


def _stopped(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0


@contextmanager
def opened(seed: int, *, engines: int = 2, workers: int = 2) -> Iterator[Cluster]:
    """Give engines and workers that work; whatever happens, nothing is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="mc-"))
    try:
        with ExitStack() as parts:
            lan = parts.enter_context(network())
            server = parts.enter_context(own_server(partial(own_pg, also=lan.address), "postgresql"))
            witness = parts.enter_context(witnesses.watching(folder / "sightings", host=lan.address))
            cluster = _built(parts, lan, server, witness, folder, seed, (engines, workers))
            parts.callback(cluster.end)
            cluster.start()
            cluster.serves()
            yield cluster
    finally:
        shutil.rmtree(folder)


def _built(
    parts: ExitStack,
    lan: Network,
    server: OwnServer,
    witness: Witness,
    folder: Path,
    seed: int,
    counts: tuple[int, int],
) -> Cluster:
    base = homebase_on(server.server)
    engines: list[EnginePost] = []
    workers: list[WorkerPost] = []
    tokens, lock = iter(range(1, 10**9)), threading.Lock()
    for number in range(sum(counts)):
        is_engine = number < counts[0]
        host = parts.enter_context(lan.host(number + 1, server.server.port))
        home = Home(folder / (f"e{number}" if is_engine else f"w{number}"))
        home.start_seconds = PATIENCE_SECONDS
        home.base = _through(base, lan, host)
        home.settings(
            f'executor = "pgqueuer"\n{SETTINGS.replace("127.0.0.1", lan.address)}\n'
            f'[node]\nname = "{home.path.name}"\n'
        )
        if not is_engine:
            workers.append(WorkerPost(host, home))
            continue
        known = furnish(home, witness, f'every = "{EVERY_SECONDS:g}s"')
        orders = engines[0].scene.orders if engines else known
        own = random.Random(seed + number)
        scene = Scene(
            home, witness, orders, own, host.prefix, most_open=MOST_OPEN, _tokens=tokens, _lock=lock
        )
        engines.append(EnginePost(host, scene))
    return Cluster(lan.kind, folder, server, base, engines, workers, random.Random(seed))


def _through(base: Homebase, lan: Network, host: Host) -> Homebase:
    url = make_url(base.url).set(host=lan.address, port=host.port).render_as_string(hide_password=False)
    return replace(base, environment={"MOONTIDE_DATABASE": url})
