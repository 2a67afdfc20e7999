"""Plugins hear events in order, and none of them can hold the engine or another."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.errors import Undeliverable
from engine.events import Event, RunQueued, RunStarted
from engine.extensions import subscribers
from engine.extensions.subscribers import Courier, EventSubscriber, Telling
from engine.service import Engine
from engine.settings import Settings
from tests.engine.conftest import ACTOR, Bench, until

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def queued(run: int) -> RunQueued:
    return RunQueued(NOW, run, "report", "manual")


async def test_events_are_told_in_their_order_and_only_the_wanted_kinds() -> None:
    heard: list[Event] = []

    async def tell(event: Event) -> None:
        heard.append(event)

    courier = Courier(EventSubscriber(tell, kinds=(RunQueued,)), plugin="slack")
    courier.start()
    for event in (queued(1), RunStarted(NOW, 1, "report", "manual", 1), queued(2)):
        courier.take(event)
    await courier.stop()
    assert heard == [queued(1), queued(2)]


async def test_a_subscriber_that_fails_hears_the_next_event(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []

    def tell(event: Event) -> None:
        heard.append(event)
        raise RuntimeError("no connection")

    courier = Courier(EventSubscriber(tell), plugin="slack")
    courier.start()
    courier.take(queued(1))
    courier.take(queued(2))
    await courier.stop()
    assert heard == [queued(1), queued(2)]
    assert [record.message for record in caplog.records] == ["plugin slack failed on the event RunQueued"] * 2


async def test_a_stop_waits_only_so_long_for_a_slow_subscriber(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subscribers, "FINISH_SECONDS", 0.05)
    begun = asyncio.Event()

    async def tell(event: Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    courier = Courier(EventSubscriber(tell), plugin="slack")
    courier.start()
    courier.take(queued(1))
    await begun.wait()
    await courier.stop()
    assert "plugin slack was not told of the last events in time" in caplog.text


async def test_events_beyond_what_a_slow_subscriber_can_keep_are_dropped_and_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subscribers, "MOST_WAITING", 2)
    heard: list[Event] = []
    courier = Courier(EventSubscriber(heard.append), plugin="slack")
    for run in range(1, 6):
        courier.take(queued(run))
    courier.start()
    await courier.stop()
    assert heard == [queued(1), queued(2)]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


STRANGER = "from tests.engine.strangers.{0} import *\nfrom tests.engine.strangers.{0} import {1}\n"


def put(folder: Path, name: str, *functions: str) -> None:
    """Make a one-file plugin of one of the strangers."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(STRANGER.format(name, ", ".join(functions)), "utf-8")


async def started(home: Path, job: str) -> Bench:
    (home / "jobs").mkdir()
    (home / "jobs" / "report.lua").write_text(job, "utf-8")
    engine = Engine(Settings(plugins_dir="plugins"), home=home)
    bench = Bench(engine)
    await engine.start()
    return bench


HOOKS = ("moontide_core_modules", "moontide_event_subscribers")
JOB = "local job = core.job()\nfunction job.run() {} end\nreturn job\n"


async def test_plugins_hear_of_runs_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    from tests.engine.strangers.listening import STORY, TOLD

    put(tmp_path / "plugins", "listening", *HOOKS)
    TOLD.clear()
    bench = await started(tmp_path, JOB.format("return job.OK"))
    run = await bench.run("report")
    await until(lambda: len(STORY) == 1 and len(TOLD) == 1)
    await bench.engine.stop()
    assert run.status == "COMPLETE"
    assert TOLD == [("thread", "RunFinished", "report")]
    assert STORY == ["report COMPLETE", "closed"]


async def test_an_engine_works_without_a_plugin_whose_service_does_not_open(tmp_path: Path) -> None:
    put(tmp_path / "plugins", "no_service", *HOOKS)
    bench = await started(
        tmp_path, JOB.format("local _, words, code = core.gate.open() return job.OK, { words, code }")
    )
    accepted = await bench.desk.run_job("report", actor=ACTOR)
    run = await bench.finished(accepted.id)
    view = next(one for one in bench.desk.plugins() if one.name == "no_service")
    status = bench.desk.status()
    await bench.engine.stop()
    assert run.result == ["core.gate is out of order; `moontide plugins` shows why", 810]
    assert (view.status, view.reason) == ("failed", "core.gate could not be made ready: the key does not fit")
    assert status.state == "Running"
    assert any("the key does not fit" in problem for problem in status.problems)


class Post:
    """A subscriber that fails so often, and what is reported of it."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.heard: list[Event] = []
        self.reports: list[tuple[str | None, bool]] = []

    async def tell(self, event: Event) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.heard.append(event)

    def report(self, telling: Telling) -> None:
        self.reports.append((telling.problem, telling.final))


async def brought(post: Post, keep_trying_seconds: float, *events: Event) -> None:
    """Bring events to a subscriber that wants further tries, and wait until nothing more is done."""
    subscriber = EventSubscriber(post.tell, keep_trying_seconds=keep_trying_seconds)
    courier = Courier(subscriber, plugin="mail", report=post.report)
    courier.start()
    for event in events:
        courier.take(event)
    await until(lambda: sum(final for _, final in post.reports) == len(events))
    await courier.stop()


async def test_a_subscriber_that_wants_it_is_told_again_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribers, "FIRST_PAUSE_SECONDS", 0.001)
    post = Post(OSError("no connection"), OSError("no connection"))
    await brought(post, 60, queued(1), queued(2))
    assert post.heard == [queued(1), queued(2)]
    assert post.reports == [("no connection", False), ("no connection", False), (None, True), (None, True)]


async def test_the_tries_end_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subscribers, "FIRST_PAUSE_SECONDS", 0.001)
    post = Post(*[OSError("no connection")] * 1000)
    await brought(post, 0.05, queued(1))
    assert post.reports[-1] == ("no connection", True)
    assert "gave up on an event RunQueued: no connection" in caplog.text


async def test_what_will_never_be_taken_is_not_tried_again() -> None:
    post = Post(Undeliverable("answered with status 404"))
    await brought(post, 60, queued(1), queued(2))
    assert post.reports == [("answered with status 404", True), (None, True)]
    assert post.heard == [queued(2)]
