"""The part of both clients about alerts: `client.alerts`."""

from __future__ import annotations

import builtins
from typing import Any

from engine.api.calls import Call
from engine.api.sending import AsyncSend, Send
from engine.views import AlertView


def alerts(job: str | None, ended: bool, before: int | None, limit: int) -> Call[list[AlertView]]:
    params: dict[str, Any] = {"job": job, "ended": ended, "before": before, "limit": limit}
    given = {name: value for name, value in params.items() if value is not None}
    return Call("GET", "/v1/alerts", list[AlertView], given)


def ack(alert_id: int, note: str) -> Call[AlertView]:
    return Call("POST", f"/v1/alerts/{alert_id}/ack", AlertView, body={"note": note})


class AlertClient:
    """What is wrong with jobs; the methods are those of `engine.api.operations.AlertOperations`."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def list(
        self, *, job: str | None = None, ended: bool = False, before: int | None = None, limit: int = 50
    ) -> builtins.list[AlertView]:
        return self._send(alerts(job, ended, before, limit))

    def ack(self, alert_id: int, *, note: str = "") -> AlertView:
        return self._send(ack(alert_id, note))


class AsyncAlertClient:
    """`AlertClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def list(
        self, *, job: str | None = None, ended: bool = False, before: int | None = None, limit: int = 50
    ) -> builtins.list[AlertView]:
        return await self._send(alerts(job, ended, before, limit))

    async def ack(self, alert_id: int, *, note: str = "") -> AlertView:
        return await self._send(ack(alert_id, note))
