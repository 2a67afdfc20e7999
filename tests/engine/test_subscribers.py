"""Plugins hear events in order, and none of them can hold the engine or another."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import subscribers
from engine.events import Event, RunQueued, RunStarted
from engine.service import Engine
from engine.settings import Settings
from engine.subscribers import Courier, EventSubscriber
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
