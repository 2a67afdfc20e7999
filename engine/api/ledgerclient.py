"""The part of both clients that is about what became of planned times: `client.ledger`."""

from __future__ import annotations

from datetime import datetime

from engine.api.calls import Call, Part, S, asked, given, named
from engine.views import SlotView, WhyView


class LedgerClient(Part[S]):
    """What `engine.api.operations.LedgerOperations` describes."""

    @asked
    def slots(
        self,
        job: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> Call[list[SlotView]]:
        path = "/v1/slots" if job is None else named("slots", job)
        return Call("GET", path, list[SlotView], given(since=since, until=until, limit=limit))

    @asked
    def why(self, job: str, *, at: datetime, within_seconds: float = 60.0) -> Call[WhyView]:
        return Call("GET", named("why", job), WhyView, given(at=at, within_seconds=within_seconds))
