"""Plugins that listen to events: each is told in its own task, and none can hold the engine or another."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.core import CoreModule
from engine.events import Event

logger = logging.getLogger("moontide.subscribers")

#: How long a subscriber may take for one event.
TELL_SECONDS = 60.0
#: How long a stop waits for events that were not told yet.
FINISH_SECONDS = 5.0
#: Events that may wait for one subscriber; further ones are dropped.
MOST_WAITING = 1000


@dataclass(frozen=True, slots=True)
class EventSubscriber:
    """What a plugin does when something happens.

    Attributes:
        tell: called with each event, and after it with the service of `module` where that is given.
            A coroutine function runs on the engine's loop and must not block; a plain one runs in a thread.
        kinds: the kinds of events that are wanted; all of them without.
        module: a core module of the same plugin, whose service `tell` needs.
    """

    tell: Callable[..., Any]
    kinds: tuple[type[Event], ...] = (Event,)
    module: CoreModule | None = None


class Courier:
    """Brings events to one subscriber, one after the other, in the order in which they happened."""

    def __init__(self, subscriber: EventSubscriber, *, plugin: str, service: Any = None) -> None:
        """Make a courier.

        Args:
            plugin: whose subscriber it is, for the engine's log.
            service: what the service of the subscriber's module yielded.
        """
        self._subscriber = subscriber
        self._plugin = plugin
        self._service = service
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(MOST_WAITING)
        self._overfull = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to bring events, on the running loop."""
        self._task = asyncio.create_task(self._work())

    def take(self, event: Event) -> None:
        """Accept an event, if it is of a kind that is wanted; never waits."""
        if not isinstance(event, self._subscriber.kinds):
            return
        try:
            self._waiting.put_nowait(event)
            self._overfull = False
        except asyncio.QueueFull:
            if not self._overfull:
                logger.error("plugin %s is too slow for the events; some are not told", self._plugin)
            self._overfull = True

    async def stop(self) -> None:
        """Bring what was accepted, as far as there is time for it, and end."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await self._waiting.join()
        except TimeoutError:
            logger.warning("plugin %s was not told of the last events in time", self._plugin)
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _work(self) -> None:
        while True:
            event = await self._waiting.get()
            try:
                async with asyncio.timeout(TELL_SECONDS):
                    await self._bring(event)
            except Exception:
                logger.exception("plugin %s failed on the event %s", self._plugin, type(event).__name__)
            finally:
                self._waiting.task_done()

    async def _bring(self, event: Event) -> None:
        tell, arguments = self._subscriber.tell, self._arguments(event)
        if inspect.iscoroutinefunction(tell):
            await tell(*arguments)
        else:
            await asyncio.to_thread(tell, *arguments)

    def _arguments(self, event: Event) -> tuple[Any, ...]:
        return (event,) if self._subscriber.module is None else (event, self._service)
