"""The routes of the engines and workers that share a database."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response

from engine.api.routes import FAILURES, Actor, Engine, answer
from engine.api.viewrouter import ViewRouter
from engine.views import NodeView

router = ViewRouter(prefix="/v1", responses=FAILURES, tags=["engine"])

NodeName = Annotated[str, Path(description="The node's name, such as web1 or web1:/srv/shop.")]


@router.get("/nodes", response_model=list[NodeView], summary="The engines and workers of this database")
async def list_nodes(engine: Engine) -> Response:
    return answer(await engine.nodes.nodes())


@router.post(
    "/nodes/drain/{name:path}", response_model=list[NodeView], summary="Let a node take nothing new, and end"
)
async def drain_node(engine: Engine, actor: Actor, name: NodeName) -> Response:
    return answer(await engine.nodes.drain(name, actor=actor))


@router.delete("/nodes/{name:path}", status_code=204, summary="Take a node that is gone off the list")
async def forget_node(engine: Engine, actor: Actor, name: NodeName) -> Response:
    await engine.nodes.forget(name, actor=actor)
    return Response(status_code=204)
