"""What a node does to be seen: it joins, says every few seconds that it is there, and says goodbye."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from engine.errors import StoreError, StoreUnavailable
from engine.store.nodes import BEAT_SECONDS, Beat, Heard, Newcomer, beat, join, leave
from engine.times.clock import Clock

logger = logging.getLogger("moontide.nodes")

T = TypeVar("T")

#: Seconds for which the database may take over a heartbeat, and over a goodbye.
ANSWER_SECONDS = 10.0
GOODBYE_SECONDS = 2.0


class Transact(Protocol):
    """Carries out work with a connection, without blocking the loop."""

    def __call__(self, work: Callable[[Connection], T], /) -> Awaitable[T]:
        """Return what the work returns, or raise `StoreError`."""


class Presence:
    """Keeps the row of one node true for as long as it lives.

    Whoever uses it changes `now` by `say`; the next heartbeat takes it along.
    """

    def __init__(
        self,
        newcomer: Newcomer,
        *,
        transact: Transact,
        clock: Clock,
        running: Callable[[], int] = lambda: 0,
        on_drain: Callable[[bool], None] = lambda drain: None,
    ) -> None:
        """Make it; `start` joins.

        Args:
            transact: how rows are written.
            running: how many runs the node carries out now.
            on_drain: called when somebody asks the node to take nothing new (True), or to go on.
        """
        self.newcomer = newcomer
        self.clock_ahead = 0.0
        self._transact = transact
        self._clock = clock
        self._running = running
        self._on_drain = on_drain
        self._said = Beat(newcomer.state, jobs_hash=newcomer.jobs_hash)
        self._drain = False
        self._task: asyncio.Task[None] | None = None
        self._soon = asyncio.Event()

    async def join(self) -> None:
        """Write the node's row.

        Raises:
            StoreUnavailable, StoreError: it cannot be written.
        """
        newcomer = replace(self.newcomer, state=self._said.state, jobs_hash=self._said.jobs_hash)
        await self._soon_done(lambda connection: join(connection, newcomer), ANSWER_SECONDS)

    def start(self) -> None:
        """Send heartbeats from now on; call it on the loop."""
        self._task = asyncio.get_running_loop().create_task(self._go_on(), name="node heartbeats")

    def say(self, **changed: object) -> None:
        """Change what heartbeats say (see `Beat`); the next one is sent at once."""
        self._said = replace(self._said, **changed)  # type: ignore[arg-type]
        self._soon.set()

    async def stop(self) -> None:
        """Send no more heartbeats, and say goodbye; without the database nobody hears it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        try:
            await self._soon_done(lambda connection: leave(connection, self.newcomer.id), GOODBYE_SECONDS)
        except StoreError as error:
            logger.debug("the database does not hear that this node ends: %s", error)

    async def tick(self) -> Heard | None:
        """Send one heartbeat; return what was heard, or None if the database did not take it."""
        said = replace(self._said, running=self._running(), clock_ahead=self.clock_ahead)
        before, began = self._clock.now(), self._clock.monotonic()
        try:
            heard = await self._soon_done(
                lambda connection: beat(connection, self.newcomer.id, said), ANSWER_SECONDS
            )
            if heard is None:
                logger.warning("this node was forgotten, and joins anew")
                await self.join()
                return None
        except StoreError as error:
            logger.debug("a heartbeat of this node was not taken: %s", error)
            return None
        took = self._clock.monotonic() - began
        self.clock_ahead = certain_lead((before - heard.now).total_seconds(), took)
        self._heed(heard.drain)
        return heard

    def _heed(self, drain: bool) -> None:
        if drain is not self._drain:
            self._drain = drain
            self._on_drain(drain)

    async def _soon_done(self, work: Callable[[Connection], T], seconds: float) -> T:
        """Carry out some work; a database that does not answer holds nothing up."""
        doing = asyncio.ensure_future(self._transact(work))
        done, _ = await asyncio.wait({doing}, timeout=seconds)
        if not done:
            doing.add_done_callback(_hear_out)
            raise StoreUnavailable(f"the database has not answered for {seconds:g} s")
        return doing.result()

    async def _go_on(self) -> None:
        while True:
            self._soon.clear()
            await self.tick()
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._soon.wait()
            except TimeoutError:
                continue


def _hear_out(late: asyncio.Future[T]) -> None:
    """Take what comes too late, so that nobody is told of it again."""
    if not late.cancelled() and (error := late.exception()) is not None:
        logger.debug("what the database was asked has failed, after nobody waited for it: %s", error)


def certain_lead(sent_ahead: float, took: float) -> float:
    """Return by how many seconds a clock is ahead at least (behind: negative); 0.0 if it may be right.

    Args:
        sent_ahead: the clock when the question was sent, less the other clock when it was answered.
        took: seconds from question to answer.
    """
    # The answer was given between the two: the clock is ahead by `sent_ahead` to `sent_ahead + took`.
    if sent_ahead > 0:
        return sent_ahead
    return min(0.0, sent_ahead + took)


def in_thread(do: Callable[[Callable[[Connection], T]], T]) -> Transact:
    """Return a `Transact` that does blocking work in a thread."""

    async def transact(work: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(do, work)

    return transact  # type: ignore[return-value]
