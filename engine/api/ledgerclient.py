"""The slot ledger's part of both clients: `client.ledger`."""

from __future__ import annotations

from datetime import datetime

from engine.api.calls import Call, named
from engine.api.sending import AsyncSend, Send
from engine.views import SlotView, WhyView


def slots(
    job: str | None, since: datetime | None, until: datetime | None, limit: int
) -> Call[list[SlotView]]:
    times = {"since": since, "until": until}
    given = {name: moment.isoformat() for name, moment in times.items() if moment is not None}
    path = "/v1/slots" if job is None else named("slots", job)
    return Call("GET", path, list[SlotView], {**given, "limit": limit})


def why(job: str, at: datetime, within_seconds: float) -> Call[WhyView]:
    params = {"at": at.isoformat(), "within_seconds": within_seconds}
    return Call("GET", named("why", job), WhyView, params)


class LedgerClient:
    """What became of planned times; the methods are those of `engine.api.operations.LedgerOperations`."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def slots(
        self,
        job: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> list[SlotView]:
        return self._send(slots(job, since, until, limit))

    def why(self, job: str, *, at: datetime, within_seconds: float = 60.0) -> WhyView:
        return self._send(why(job, at, within_seconds))


class AsyncLedgerClient:
    """`LedgerClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def slots(
        self,
        job: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> list[SlotView]:
        return await self._send(slots(job, since, until, limit))

    async def why(self, job: str, *, at: datetime, within_seconds: float = 60.0) -> WhyView:
        return await self._send(why(job, at, within_seconds))
