"""The part of both clients that is about settings which operators change: `client.overrides`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from engine.api.calls import Call, Part, S, asked, named
from engine.views import JobView


class OverrideClient(Part[S]):
    """What `engine.api.operations.OverrideOperations` describes."""

    @asked
    def set(
        self, name: str, values: Mapping[str, Any] | None = None, typed: Mapping[str, str] | None = None
    ) -> Call[JobView]:
        body = {"values": dict(values or {}), "typed": dict(typed or {})}
        return Call("PATCH", named("overrides", name), JobView, body=body)

    @asked
    def unset(self, name: str, settings: Collection[str] = ()) -> Call[JobView]:
        return Call("DELETE", named("overrides", name), JobView, {"setting": list(settings)})
