"""The part of both clients that does one action to many jobs or runs: `client.bulk`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.api.calls import Call
from engine.api.sending import AsyncSend, Send
from engine.bulk import BulkAction, Chosen
from engine.views import BulkView


class BulkClient:
    """What `engine.api.operations.BulkOperations` describes."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def act(
        self,
        action: BulkAction,
        chosen: Chosen,
        *,
        data: Any = None,
        until: datetime | None = None,
        note: str = "",
    ) -> list[BulkView]:
        return self._send(_act(action, chosen, data, until, note))


class AsyncBulkClient:
    """`BulkClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def act(
        self,
        action: BulkAction,
        chosen: Chosen,
        *,
        data: Any = None,
        until: datetime | None = None,
        note: str = "",
    ) -> list[BulkView]:
        return await self._send(_act(action, chosen, data, until, note))


def _act(
    action: BulkAction, chosen: Chosen, data: Any, until: datetime | None, note: str
) -> Call[list[BulkView]]:
    body = {
        "action": action.value,
        "names": chosen.names,
        "runs": chosen.runs,
        "tags": dict(chosen.tags),
        "group": chosen.group,
        "status": chosen.status,
        "data": data,
        "until": until,
        "note": note,
    }
    return Call("POST", "/v1/bulk", list[BulkView], body=body)
