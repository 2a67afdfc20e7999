"""The part of both clients that is about what is wrong with jobs: `client.alerts`."""

from __future__ import annotations

import builtins

from engine.api.calls import Call, Part, S, asked, given
from engine.views import AlertView


class AlertClient(Part[S]):
    """What `engine.api.operations.AlertOperations` describes."""

    @asked
    def list(
        self, *, job: str | None = None, ended: bool = False, before: int | None = None, limit: int = 50
    ) -> Call[builtins.list[AlertView]]:
        params = given(job=job, ended=ended, before=before, limit=limit)
        return Call("GET", "/v1/alerts", builtins.list[AlertView], params)

    @asked
    def ack(self, alert_id: int, *, note: str = "") -> Call[AlertView]:
        return Call("POST", f"/v1/alerts/{alert_id}/ack", AlertView, body={"note": note})
