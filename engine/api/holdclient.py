"""The part of both clients that is about groups and pauses: `client.holds`."""

from __future__ import annotations

from datetime import datetime

from engine.api.calls import Call, Part, S, asked, named
from engine.views import GroupView, HoldView


class HoldClient(Part[S]):
    """What `engine.api.holdoperations.HoldOperations` describes."""

    @asked
    def groups(self) -> Call[list[GroupView]]:
        return Call("GET", "/v1/groups", list[GroupView])

    @asked
    def group(self, name: str) -> Call[GroupView]:
        return Call("GET", named("groups", name), GroupView)

    @asked
    def enable_group(self, name: str, *, note: str = "") -> Call[GroupView]:
        return _switch(name, True, note)

    @asked
    def disable_group(self, name: str, *, note: str = "") -> Call[GroupView]:
        return _switch(name, False, note)

    @asked
    def holds(self) -> Call[list[HoldView]]:
        return Call("GET", "/v1/holds", list[HoldView])

    @asked
    def pause(
        self, scope: str, target: str = "", *, until: datetime | None = None, note: str = ""
    ) -> Call[HoldView]:
        body = {"scope": scope, "target": target, "until": until, "note": note}
        return Call("POST", "/v1/pause", HoldView, body=body)

    @asked
    def resume(self, scope: str, target: str = "", *, note: str = "") -> Call[HoldView]:
        return Call("POST", "/v1/resume", HoldView, body={"scope": scope, "target": target, "note": note})


def _switch(name: str, enabled: bool, note: str) -> Call[GroupView]:
    return Call("POST", "/v1/groups", GroupView, body={"group": name, "enabled": enabled, "note": note})
