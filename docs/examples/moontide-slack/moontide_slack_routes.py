"""What programs ask of the plugin: the routes below /v1/plugins/slack."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from moontide.api import Actor


def make_routes(slack: Any) -> APIRouter:
    """Return the routes, which ask the service that the engine holds open."""
    router = APIRouter()

    @router.post("/test", summary="Post a test message")
    async def test(actor: Actor, text: Annotated[str | None, Body(embed=True)] = None) -> dict[str, bool]:
        await slack.post(text or f"A test by {actor}")
        return {"posted": True}

    @router.get("/failing", summary="Jobs whose failure the channel was told of")
    async def failing() -> list[str]:
        return slack.failing

    return router
