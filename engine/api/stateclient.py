"""The part of both clients that is about what jobs keep from run to run: `client.states`."""

from __future__ import annotations

from typing import Any

from engine.api.calls import Call, Part, S, asked, named
from engine.views import StateView


class StateClient(Part[S]):
    """What `engine.api.operations.StateOperations` describes."""

    @asked
    def show(self, name: str, *, lasting: bool = False) -> Call[StateView]:
        return Call("GET", named("state", name), StateView, {"lasting": lasting})

    @asked
    def set(self, name: str, value: Any, *, lasting: bool = False) -> Call[StateView]:
        return Call("PUT", named("state", name), StateView, {"lasting": lasting}, body={"value": value})

    @asked
    def clear(self, name: str, *, lasting: bool = False) -> Call[StateView]:
        return Call("DELETE", named("state", name), StateView, {"lasting": lasting})
