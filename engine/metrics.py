"""Figures for Prometheus: what has happened since the engine started, and how things stand now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from engine.events import Event, Events, JournalStalled, RunFinished, RunsMissed, RunStarted, WorkersReplaced
from engine.rules.alertwatch import AlertKind

#: Upper bounds of the classes, in seconds.
LATENESS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300)
DURATION = (0.005, 0.02, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)


#: The events that are counted.
_COUNTED = (RunStarted, RunFinished, RunsMissed, WorkersReplaced, JournalStalled)


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand at one moment.

    Attributes:
        behind_seconds: how long ago the first job that is still armed should have run.
        jobs: how many by status.
        journal_seconds: what all commits took together.
        alerts: how many go on, by kind.
        files_declared: job files that were declared in the sandbox.
    """

    running: int
    queued: int
    pool_size: int
    workers: int
    jobs: dict[str, int]
    behind_seconds: float
    journal_commits: int
    journal_seconds: float
    journal_waiting: int
    alerts: dict[str, int] = field(default_factory=dict)
    files_declared: int = 0


class Metrics:
    """Counts what happens, and gives all figures in Prometheus' text format."""

    def __init__(self, events: Events, standing: Callable[[], Standing]) -> None:
        """Begin to count.

        Args:
            standing: asked at each scrape.
        """
        self._registry = CollectorRegistry()
        self._runs = Counter("moontide_runs", "Runs that ended.", ["status"], registry=self._registry)
        self._lateness = Histogram(
            "moontide_run_lateness_seconds",
            "From a scheduled run's due time to its start.",
            buckets=LATENESS,
            registry=self._registry,
        )
        self._duration = Histogram(
            "moontide_run_duration_seconds",
            "From a run's start to its end.",
            buckets=DURATION,
            registry=self._registry,
        )
        self._missed = Counter(
            "moontide_runs_missed", "Due times that passed while no engine ran.", registry=self._registry
        )
        self._replaced = Counter(
            "moontide_workers_replaced",
            "Times that all workers were replaced, because the process that they come from died.",
            registry=self._registry,
        )
        self._stalls = Counter(
            "moontide_journal_stalls", "Times that the database took no writes.", registry=self._registry
        )
        self._registry.register(_Now(standing))
        # To find the counter of a status costs more than to count.
        self._ended = cache(self._runs.labels)
        events.subscribe(self.take, _COUNTED)

    def take(self, event: Event) -> None:
        """Count one event."""
        match event:
            case RunStarted(trigger="schedule"):
                self._lateness.observe(event.late_ms / 1000)
            case RunFinished():
                self._ended(event.status).inc()
                if event.duration_ms is not None:
                    self._duration.observe(event.duration_ms / 1000)
            case RunsMissed():
                self._missed.inc(event.count)
            case WorkersReplaced():
                self._replaced.inc()
            case JournalStalled():
                self._stalls.inc()

    def render(self) -> bytes:
        """Return all figures as text."""
        return generate_latest(self._registry)


class _Now(Collector):
    """The figures that are read when they are asked for."""

    def __init__(self, standing: Callable[[], Standing]) -> None:
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        now = self._standing()
        yield GaugeMetricFamily("moontide_runs_running", "Runs that go on.", now.running)
        yield GaugeMetricFamily("moontide_runs_queued", "Runs that wait.", now.queued)
        yield GaugeMetricFamily("moontide_pool_size", "Runs at once; 0 means no limit.", now.pool_size)
        yield GaugeMetricFamily("moontide_workers", "Worker processes.", now.workers)
        yield GaugeMetricFamily(
            "moontide_scheduler_behind_seconds",
            "How long ago the first armed job should have run.",
            now.behind_seconds,
        )
        yield GaugeMetricFamily("moontide_journal_waiting", "Changes not yet committed.", now.journal_waiting)
        yield CounterMetricFamily("moontide_journal_commits", "Commits.", now.journal_commits)
        yield CounterMetricFamily(
            "moontide_journal_commit_seconds", "Time that all commits took together.", now.journal_seconds
        )
        yield CounterMetricFamily(
            "moontide_files_declared", "Job files whose settings the sandbox had to read.", now.files_declared
        )
        jobs = GaugeMetricFamily("moontide_jobs", "Jobs by status.", labels=["status"])
        for status, count in sorted(now.jobs.items()):
            jobs.add_metric([status], count)
        yield jobs
        alerts = GaugeMetricFamily("moontide_alerts", "Alerts that go on, by kind.", labels=["kind"])
        for kind in AlertKind:
            alerts.add_metric([kind.value], now.alerts.get(kind.value, 0))
        yield alerts
