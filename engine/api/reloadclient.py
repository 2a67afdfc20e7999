"""The part of both clients that is about what a reload would change: `client.reloads`."""

from __future__ import annotations

from engine.api.calls import Call, given
from engine.api.sending import AsyncSend, Send
from engine.views import ReloadPlanView


class ReloadClient:
    """What `engine.api.operations.ReloadOperations` describes."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def plan(self, name: str | None = None, *, override: bool = False) -> ReloadPlanView:
        return self._send(_plan(name, override))


class AsyncReloadClient:
    """`ReloadClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def plan(self, name: str | None = None, *, override: bool = False) -> ReloadPlanView:
        return await self._send(_plan(name, override))


def _plan(name: str | None, override: bool) -> Call[ReloadPlanView]:
    params = given(job=name, override="true" if override else None)
    return Call("GET", "/v1/reload-plan", ReloadPlanView, params)
