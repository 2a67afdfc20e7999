"""How programs with an event loop talk to an engine: the dashboard uses this and nothing else.

For programs without one there is `Client`; both ask the same in the same words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Self, TypeVar

from engine.api.asyncexchange import AsyncExchange
from engine.api.calls import AsyncSend, Call
from engine.api.events import EventReader
from engine.api.requests import Requests, events
from engine.api.syncclient import Client
from engine.api.target import Target, failure_of, value_of
from engine.events import Event
from engine.roles import Role

__all__ = ["AsyncClient", "Client"]

T = TypeVar("T")


class AsyncClient(Requests[AsyncSend]):
    """`Client` for programs with an event loop, such as the dashboard."""

    def __init__(
        self,
        place: Path | str,
        *,
        token: str | None = None,
        actor: str | None = None,
        ca_file: Path | None = None,
        role: Role | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet. The arguments are those of `Client`."""
        self._target = Target(place, token, actor, ca_file, role)
        self._exchange = AsyncExchange(self._target)
        super().__init__(self._ask)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        self._exchange.close()
        self._target.close()

    @asynccontextmanager
    async def events(
        self, *, job: str | None = None, run: int | None = None
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Give an iterator of what happens from now on, as `Client.events` does."""
        async with self._exchange.lines(events(job, run)) as (answer, lines):
            if answer.status != HTTPStatus.OK:
                raise failure_of(answer.status, answer.content)
            yield _events_of(lines)

    async def _ask(self, call: Call[T]) -> T:
        answer = await self._exchange.ask(call)
        return value_of(call, answer.status, answer.content)


async def _events_of(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    reader = EventReader()
    async for line in lines:
        if (event := reader.feed(line)) is not None:
            yield event
