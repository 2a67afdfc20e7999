"""The part of both clients that is about what a reload would do: `client.reloads`."""

from __future__ import annotations

from engine.api.calls import Call, Part, S, asked, given
from engine.views import ReloadPlanView


class ReloadClient(Part[S]):
    """What `engine.api.operations.ReloadOperations` describes."""

    @asked
    def plan(self, name: str | None = None, *, override: bool = False) -> Call[ReloadPlanView]:
        params = given(job=name, override="true" if override else None)
        return Call("GET", "/v1/reload-plan", ReloadPlanView, params)
