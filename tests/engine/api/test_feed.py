from __future__ import annotations

import asyncio
import re

import pytest

import engine.events
from engine.api.events import EventReader, Lagged, encode_event
from engine.api.feed import EventStream, Feed, Feeds, Filter
from engine.events import EngineStateChanged, Event, Events, RunFinished, RunLogged, RunsMissed
from tests.engine.api.memory_engine import START

EVENTS: list[Event] = [
    EngineStateChanged(START, "Running", "two\nlines"),
    RunLogged(START, 3, "report", ((1, "info", "a"), (2, "warn", "b: c"))),
    RunFinished(START, 3, "report", "COMPLETE", "OK", 1.5, None),
    Lagged(START, 7),
]


def read(text: str) -> list[Event]:
    reader = EventReader()
    return [event for line in text.splitlines() if (event := reader.feed(line)) is not None]


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_comes_out_as_it_went_in(event: Event) -> None:
    assert read(encode_event(event).decode()) == [event]


def test_kinds_of_a_newer_engine_and_comments_are_passed_over() -> None:
    text = ': heartbeat\n\nevent: MoonRose\ndata: {"at": 1}\n\n' + encode_event(EVENTS[0]).decode()
    assert read(text) == [EVENTS[0]]


def test_every_event_of_the_engine_can_be_read() -> None:
    source = engine.events.__file__
    with open(source, encoding="utf-8") as text:
        names = re.findall(r"^class (\w+)\(Event\)", text.read(), re.MULTILINE)
    from engine.api.events import _KINDS

    assert set(names) < set(_KINDS)


def test_a_filter_takes_only_what_is_about_its_job_and_run() -> None:
    about_job = RunsMissed(START, "report", 2, START)
    taken = [[Filter(**wanted).takes(event) for event in (*EVENTS[:3], about_job)] for wanted in (
        {}, {"job": "report"}, {"job": "other"}, {"run": 3}, {"job": "report", "run": 4}
    )]  # fmt: skip
    assert taken == [
        [True, True, True, True],
        [False, True, True, True],
        [False, False, False, False],
        [False, True, True, False],
        [False, False, False, False],
    ]


async def test_a_full_feed_drops_what_waits_and_says_how_much() -> None:
    feed = Feed(Filter(), limit=3)
    for number in range(4):
        feed.put(EngineStateChanged(START, str(number)))
    lagged = await feed.next()
    assert isinstance(lagged, Lagged)
    assert lagged.dropped == 3
    assert await feed.next() == EngineStateChanged(START, "3")


async def test_a_feed_opened_after_the_stop_is_closed_at_once() -> None:
    feeds = Feeds(Events())
    feeds.close()
    with feeds.open(Filter()) as feed:
        await asyncio.wait_for(feed.closed(), 1)


async def test_a_quiet_stream_sends_heartbeats_until_its_reader_leaves() -> None:
    feeds, sent, gone = Feeds(Events()), asyncio.Queue[bytes](), asyncio.Event()

    async def receive() -> dict[str, str]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, bytes]) -> None:
        sent.put_nowait(message.get("body", b"head"))

    stream = EventStream(feeds, Filter(), heartbeat_seconds=0.001)
    task = asyncio.ensure_future(stream({"type": "http"}, receive, send))
    taken = [await asyncio.wait_for(sent.get(), 5) for _ in range(4)]
    gone.set()
    await asyncio.wait_for(task, 5)
    assert taken == [b"head", *[b": heartbeat\n\n"] * 3]
    assert len(feeds) == 0
