"""The part of both clients that is about the engines and workers of a database: `client.nodes`."""

from __future__ import annotations

from engine.api.calls import Call, Part, S, asked, named
from engine.views import NodeView


class NodeClient(Part[S]):
    """What `engine.api.operations.NodeOperations` describes."""

    @asked
    def nodes(self) -> Call[list[NodeView]]:
        return Call("GET", "/v1/nodes", list[NodeView])

    @asked
    def drain(self, name: str) -> Call[list[NodeView]]:
        return Call("POST", named("nodes/drain", name), list[NodeView])

    @asked
    def forget(self, name: str) -> Call[None]:
        return Call("DELETE", named("nodes", name), type(None))
