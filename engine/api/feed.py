"""The event stream: one bounded queue for each connected reader, and the response that empties it.

A reader that is too slow loses events and is told so; it never makes the engine wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.api.events import HEARTBEAT, Lagged, encode_event
from engine.events import Event, Events

#: Events that wait for one reader; about a second of a busy engine.
QUEUE_EVENTS = 2048

HEARTBEAT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a reader wants: those of one job, of one run, or all."""

    job: str | None = None
    run: int | None = None

    def takes(self, event: Event) -> bool:
        """Return whether the event is about the job and the run asked for."""
        return (self.job is None or getattr(event, "job", None) == self.job) and (
            self.run is None or getattr(event, "run", None) == self.run
        )


class Feed:
    """The events that wait for one reader. All calls are made on the engine's loop."""

    def __init__(self, wanted: Filter, *, limit: int = QUEUE_EVENTS) -> None:
        self._wanted = wanted
        self._limit = limit
        self._waiting: deque[Event] = deque()
        self._dropped = 0
        self._changed = asyncio.Event()
        self._closed = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an event for the reader; a full queue is dropped whole, since the reader must catch up."""
        if not self._wanted.takes(event):
            return
        if len(self._waiting) >= self._limit:
            self._dropped += len(self._waiting)
            self._waiting.clear()
        self._waiting.append(event)
        self._changed.set()

    async def next(self) -> Event:
        """Return the next event, or `Lagged` first where some were dropped."""
        while not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            return Lagged(at=datetime.now(UTC), dropped=dropped)
        return self._waiting.popleft()

    def close(self) -> None:
        """End the stream at the reader."""
        self._closed.set()

    async def closed(self) -> None:
        """Return once the feed is closed."""
        await self._closed.wait()


class Feeds:
    """All feeds of one engine."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._open: set[Feed] = set()
        self._closed = False

    @contextmanager
    def open(self, wanted: Filter) -> Iterator[Feed]:
        """Give a feed that gets events from now to the end of the block."""
        feed = Feed(wanted)
        self._open.add(feed)
        unsubscribe = self._events.subscribe(feed.put)
        if self._closed:
            feed.close()
        try:
            yield feed
        finally:
            unsubscribe()
            self._open.discard(feed)

    def close(self) -> None:
        """End all streams, now and to come: the engine stops."""
        self._closed = True
        for feed in self._open:
            feed.close()

    def __len__(self) -> int:
        return len(self._open)


class EventStream(Response):
    """Answers with server-sent events until the reader leaves or the feed is closed.

    The feed is open before the head of the answer goes out, so a reader that has the head misses
    nothing that happens after it.
    """

    media_type = "text/event-stream"

    def __init__(self, feeds: Feeds, wanted: Filter, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        super().__init__(headers={"cache-control": "no-store"})
        del self.headers["content-length"]
        self._feeds = feeds
        self._wanted = wanted
        self._heartbeat_seconds = heartbeat_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._feeds.open(self._wanted) as feed:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await first_of(self._write(feed, send), feed.closed(), gone(receive))
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, feed: Feed, send: Send) -> None:
        message = HEARTBEAT
        while True:
            await send({"type": "http.response.body", "body": message, "more_body": True})
            try:
                async with asyncio.timeout(self._heartbeat_seconds):
                    message = encode_event(await feed.next())
            except TimeoutError:
                message = HEARTBEAT


async def gone(receive: Receive) -> None:
    """Return once the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def first_of(*steps: Coroutine[Any, Any, None]) -> None:
    """Run the steps side by side until one ends, and end the others."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
