"""The part of both clients that acts on many jobs or runs at once: `client.bulk`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.api.calls import Call, Part, S, asked
from engine.bulk import BulkAction, Chosen
from engine.views import BulkView


class BulkClient(Part[S]):
    """What `engine.api.operations.BulkOperations` describes."""

    @asked
    def act(
        self,
        action: BulkAction,
        chosen: Chosen,
        *,
        data: Any = None,
        until: datetime | None = None,
        note: str = "",
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
