"""The clients' part about runs of the past; described in `engine.api.historyoperations`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from engine.api import historycalls
from engine.api.calls import Call
from engine.runfilter import RunFilter
from engine.views import DiffView, RunSourceView, RunView

T = TypeVar("T")


class Send(Protocol):
    """Sends a request and returns its answer."""

    def __call__(self, call: Call[T], /) -> T: ...


class AsyncSend(Protocol):
    """Sends a request and returns its answer once it is there."""

    def __call__(self, call: Call[T], /) -> Awaitable[T]: ...


EVERY_RUN = RunFilter()


class HistoryClient:
    """Asks about runs, and waits for each answer."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def find(
        self, wanted: RunFilter = EVERY_RUN, *, before: int | None = None, limit: int = 50
    ) -> list[RunView]:
        return self._send(historycalls.find(wanted, before, limit))

    def counts(self, wanted: RunFilter = EVERY_RUN) -> dict[str, int]:
        return self._send(historycalls.counts(wanted))

    def source(self, run_id: int) -> RunSourceView:
        return self._send(historycalls.source(run_id))

    def diff(self, run_id: int, other_id: int | None = None) -> DiffView:
        return self._send(historycalls.diff(run_id, other_id))


class AsyncHistoryClient:
    """`HistoryClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def find(
        self, wanted: RunFilter = EVERY_RUN, *, before: int | None = None, limit: int = 50
    ) -> list[RunView]:
        return await self._send(historycalls.find(wanted, before, limit))

    async def counts(self, wanted: RunFilter = EVERY_RUN) -> dict[str, int]:
        return await self._send(historycalls.counts(wanted))

    async def source(self, run_id: int) -> RunSourceView:
        return await self._send(historycalls.source(run_id))

    async def diff(self, run_id: int, other_id: int | None = None) -> DiffView:
        return await self._send(historycalls.diff(run_id, other_id))
