"""Plugins that listen to events: each is told in its own task, and none can hold the engine or another."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.calls.core import CoreModule
from engine.errors import Undeliverable
from engine.events import Event

logger = logging.getLogger("moontide.subscribers")

#: How long a subscriber may take for one event.
TELL_SECONDS = 60.0
#: How long a stop waits for events that were not told yet.
FINISH_SECONDS = 5.0
#: Events that may wait for one subscriber; further ones are dropped.
MOST_WAITING = 1000
#: Pauses between tries, where a subscriber asks for them.
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class EventSubscriber:
    """What a plugin does when something happens.

    Attributes:
        tell: called with each event, and after it with the service of `module` where that is given.
            A coroutine function runs on the engine's loop and must not block; a plain one runs in a thread.
        kinds: the kinds of events that are wanted; all of them without.
        module: a core module of the same plugin, whose service `tell` needs.
        keep_trying_seconds: for how long an event is told again, after growing pauses, to one that raises;
            what comes after it waits. The text of what it raised is shown to people. `Undeliverable` ends
            the tries.
    """

    tell: Callable[..., Any]
    kinds: tuple[type[Event], ...] = (Event,)
    module: CoreModule | None = None
    keep_trying_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Telling:
    """How far the telling of an event to a subscriber has come.

    Attributes:
        problem: why it failed, None if it did not.
        final: nothing more is tried.
    """

    plugin: str
    event: Event
    problem: str | None = None
    final: bool = True


class Courier:
    """Brings events to one subscriber, one after the other, in the order in which they happened."""

    def __init__(
        self,
        subscriber: EventSubscriber,
        *,
        plugin: str,
        service: Any = None,
        report: Callable[[Telling], None] | None = None,
    ) -> None:
        """Make a courier.

        Args:
            plugin: whose subscriber it is, for the engine's log.
            service: what the service of the subscriber's module yielded.
            report: is told how each try went.
        """
        self._subscriber = subscriber
        self._report = report
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
            self._tell_how(event, f"{MOST_WAITING} events wait for it already", final=True)

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
                await self._bring_at_last(event)
            finally:
                self._waiting.task_done()

    async def _bring_at_last(self, event: Event) -> None:
        """Bring an event, with as many further tries as the subscriber wants."""
        now = asyncio.get_running_loop().time
        deadline, pause = now() + self._subscriber.keep_trying_seconds, FIRST_PAUSE_SECONDS
        while (error := await self._try(event)) is not None:
            final = isinstance(error, Undeliverable) or now() + pause >= deadline
            self._tell_how(event, _words(error), final=final)
            self._log_failure(event, error, final=final)
            if final:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        self._tell_how(event, None, final=True)

    async def _try(self, event: Event) -> Exception | None:
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await self._bring(event)
        except Exception as error:
            return error
        return None

    def _tell_how(self, event: Event, problem: str | None, *, final: bool) -> None:
        if self._report is not None:
            self._report(Telling(self._plugin, event, problem, final))

    def _log_failure(self, event: Event, error: Exception, *, final: bool) -> None:
        kind = type(event).__name__
        if not self._subscriber.keep_trying_seconds:
            logger.error("plugin %s failed on the event %s", self._plugin, kind, exc_info=error)
        elif final:
            logger.error("plugin %s gave up on an event %s: %s", self._plugin, kind, _words(error))
        else:
            logger.warning(
                "plugin %s failed on an event %s and tries again: %s", self._plugin, kind, _words(error)
            )

    async def _bring(self, event: Event) -> None:
        tell, arguments = self._subscriber.tell, self._arguments(event)
        if inspect.iscoroutinefunction(tell):
            await tell(*arguments)
        else:
            await asyncio.to_thread(tell, *arguments)

    def _arguments(self, event: Event) -> tuple[Any, ...]:
        return (event,) if self._subscriber.module is None else (event, self._service)


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"it took longer than {TELL_SECONDS:g} s"
    return str(error) or type(error).__name__
