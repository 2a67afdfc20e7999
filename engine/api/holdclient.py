"""The part of both clients that is about groups and pauses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.api.calls import Call, named
from engine.api.sending import AsyncSend, Send
from engine.views import GroupView, HoldView


class HoldClient:
    """What `engine.api.holdoperations.HoldOperations` describes."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def groups(self) -> list[GroupView]:
        return self._send(_groups())

    def group(self, name: str) -> GroupView:
        return self._send(_group(name))

    def enable_group(self, name: str, *, note: str = "") -> GroupView:
        return self._send(_switch(name, True, note))

    def disable_group(self, name: str, *, note: str = "") -> GroupView:
        return self._send(_switch(name, False, note))

    def holds(self) -> list[HoldView]:
        return self._send(_holds())

    def pause(
        self, scope: str, target: str = "", *, until: datetime | None = None, note: str = ""
    ) -> HoldView:
        return self._send(_pause(scope, target, until, note))

    def resume(self, scope: str, target: str = "", *, note: str = "") -> HoldView:
        return self._send(_resume(scope, target, note))


class AsyncHoldClient:
    """`HoldClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def groups(self) -> list[GroupView]:
        return await self._send(_groups())

    async def group(self, name: str) -> GroupView:
        return await self._send(_group(name))

    async def enable_group(self, name: str, *, note: str = "") -> GroupView:
        return await self._send(_switch(name, True, note))

    async def disable_group(self, name: str, *, note: str = "") -> GroupView:
        return await self._send(_switch(name, False, note))

    async def holds(self) -> list[HoldView]:
        return await self._send(_holds())

    async def pause(
        self, scope: str, target: str = "", *, until: datetime | None = None, note: str = ""
    ) -> HoldView:
        return await self._send(_pause(scope, target, until, note))

    async def resume(self, scope: str, target: str = "", *, note: str = "") -> HoldView:
        return await self._send(_resume(scope, target, note))


def _groups() -> Call[list[GroupView]]:
    return Call("GET", "/v1/groups", list[GroupView])


def _group(name: str) -> Call[GroupView]:
    return Call("GET", named("groups", name), GroupView)


def _switch(name: str, enabled: bool, note: str) -> Call[GroupView]:
    body: dict[str, Any] = {"group": name, "enabled": enabled, "note": note}
    return Call("POST", "/v1/groups", GroupView, body=body)


def _holds() -> Call[list[HoldView]]:
    return Call("GET", "/v1/holds", list[HoldView])


def _pause(scope: str, target: str, until: datetime | None, note: str) -> Call[HoldView]:
    body = {"scope": scope, "target": target, "until": until, "note": note}
    return Call("POST", "/v1/pause", HoldView, body=body)


def _resume(scope: str, target: str, note: str) -> Call[HoldView]:
    return Call("POST", "/v1/resume", HoldView, body={"scope": scope, "target": target, "note": note})
