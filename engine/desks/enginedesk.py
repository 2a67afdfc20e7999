"""What the engine as a whole does: its status, its figures, what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.catalog.catalog import Catalog
from engine.desks.alertdesk import AlertDesk
from engine.desks.holddesk import HoldDesk
from engine.desks.jobviews import JobViews
from engine.desks.nodedesk import mismatches_of, problems_of, there
from engine.events import Events
from engine.extensions.plugins import Plugins
from engine.metrics import Metrics, Standing
from engine.runs.dispatcher import Dispatcher
from engine.runs.scheduler import Scheduler
from engine.sandbox.pool import WorkerPool
from engine.states import EngineState
from engine.store.journal import Journal
from engine.times.clock import Clock
from engine.views import EngineView, NodeView, PluginView


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same for one life of an engine."""

    version: str
    home: Path
    database: str
    session: int
    started: datetime
    watches: bool


class EngineDesk:
    """Answers what is asked about the engine as a whole."""

    def __init__(
        self,
        *,
        identity: Identity,
        clock: Clock,
        catalog: Catalog,
        scheduler: Scheduler,
        dispatcher: Dispatcher,
        journal: Journal,
        pool: WorkerPool,
        plugins: Plugins,
        events: Events,
        holds: HoldDesk,
        alerts: AlertDesk,
        views: JobViews,
    ) -> None:
        """Make one."""
        self._identity = identity
        self._clock = clock
        self._catalog = catalog
        self._scheduler = scheduler
        self._dispatcher = dispatcher
        self._journal = journal
        self._pool = pool
        self._plugins = plugins
        self._holds = holds
        self._alerts = alerts
        self._views = views
        self._others: list[Callable[[], list[str]]] = []
        self._nodes: Callable[[], list[NodeView]] = list
        self._metrics = Metrics(events, self._standing)

    def status(self, state: EngineState) -> EngineView:
        """Return what the engine does, which is in a state."""
        nodes = self._nodes()
        identity, gate = self._identity, self._dispatcher.gate
        return EngineView(
            state=state.value,
            version=identity.version,
            pid=os.getpid(),
            home=str(identity.home),
            jobs_folder=str(self._catalog.files.folder),
            database=identity.database,
            session=identity.session,
            started=identity.started,
            now=self._clock.now(),
            jobs=len(self._catalog.jobs),
            jobs_by_status=self._views.count_by_status(),
            running=gate.running,
            queued=gate.waiting,
            pool_size=gate.size,
            workers=self._pool.workers,
            runs_total=self._dispatcher.finished,
            journal=self._journal.stalled or "ok",
            walls=dict(self._pool.walls),
            problems=self._problems(),
            holds=self._holds.words(),
            alerts=sum(self._alerts.counts().values()),
            watches=identity.watches,
            nodes=max(1, len(there(nodes))),
            node_troubles=mismatches_of(nodes),
        )

    def metrics(self) -> bytes:
        """Return figures in the text format of Prometheus."""
        return self._metrics.render()

    def _standing(self) -> Standing:
        gate, first = self._dispatcher.gate, self._scheduler.first_due()
        behind = (self._clock.now() - first).total_seconds() if first else 0.0
        return Standing(
            running=gate.running,
            queued=gate.waiting,
            pool_size=gate.size,
            workers=self._pool.workers,
            jobs=self._views.count_by_status(),
            behind_seconds=max(0.0, behind),
            journal_commits=self._journal.commits,
            journal_seconds=self._journal.commit_seconds,
            journal_waiting=self._journal.waiting,
            alerts=self._alerts.counts(),
            files_declared=self._catalog.files.declaring.declared_files,
        )

    def plugins(self) -> list[PluginView]:
        """Return a line about every plugin found."""
        return list(self._plugins.views)

    def watch_problems_of(self, ask: Callable[[], list[str]]) -> None:
        """Show the problems of one more part, which is asked whenever they are."""
        self._others.append(ask)

    def watch_nodes(self, ask: Callable[[], list[NodeView]]) -> None:
        """Show the nodes as they were seen last, and what is wrong with them."""
        self._nodes = ask

    def _problems(self) -> list[str]:
        problems = self._plugins.problems() + self._alerts.problems()
        problems += [problem for ask in self._others for problem in ask()]
        problems += problems_of(self._nodes())
        if self._journal.stalled:
            problems.append(f"no writes to the database: {self._journal.stalled}")
        missing = [name for name, state in self._pool.walls.items() if state.startswith("missing")]
        if missing:
            problems.append(f"sandbox walls missing: {', '.join(sorted(missing))}")
        return problems
