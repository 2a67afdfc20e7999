"""What happens is told once, to everyone."""

import logging
from datetime import UTC, datetime

import pytest

from engine.events import Event, Events, RunStarted, as_dict

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_every_subscriber_hears_of_an_event() -> None:
    events, heard = Events(), []
    events.subscribe(lambda event: heard.append(("a", event)))
    events.subscribe(lambda event: heard.append(("b", event)))
    event = Event(NOW)
    events.publish(event)
    assert heard == [("a", event), ("b", event)]


def test_a_subscriber_hears_of_the_kinds_that_it_wants() -> None:
    events, heard = Events(), []
    started = RunStarted(NOW, 7, "a", "schedule", 1, 2.5)
    events.publish(started)
    unsubscribe = events.subscribe(heard.append, (RunStarted,))
    events.publish(Event(NOW))
    events.publish(started)
    unsubscribe()
    events.publish(started)
    assert heard == [started]


def test_a_failing_subscriber_is_logged_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    events, heard = Events(), []

    def fail(event: Event) -> None:
        raise RuntimeError("broken subscriber")

    events.subscribe(fail)
    events.subscribe(heard.append)
    with caplog.at_level(logging.ERROR, logger="moontide.events"):
        events.publish(Event(NOW))
    assert len(heard) == 1
    assert "broken subscriber" in caplog.text


def test_an_ended_subscription_hears_nothing_more() -> None:
    events, heard = Events(), []
    unsubscribe = events.subscribe(heard.append)
    unsubscribe()
    events.publish(Event(NOW))
    assert heard == []


def test_an_event_as_data_names_its_kind() -> None:
    data = as_dict(RunStarted(NOW, 7, "a", "schedule", 1, 2.5))
    assert data == {
        "event": "RunStarted",
        "at": NOW,
        "run": 7,
        "job": "a",
        "trigger": "schedule",
        "attempt": 1,
        "late_ms": 2.5,
    }
