"""The part of both clients that changes settings of jobs at run time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from engine.api.calls import Call, named
from engine.api.sending import AsyncSend, Send
from engine.views import JobView


class OverrideClient:
    """What `engine.api.operations.OverrideOperations` describes."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def set(
        self, name: str, values: Mapping[str, Any] | None = None, typed: Mapping[str, str] | None = None
    ) -> JobView:
        return self._send(_set(name, values, typed))

    def unset(self, name: str, settings: Collection[str] = ()) -> JobView:
        return self._send(_unset(name, settings))


class AsyncOverrideClient:
    """`OverrideClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def set(
        self, name: str, values: Mapping[str, Any] | None = None, typed: Mapping[str, str] | None = None
    ) -> JobView:
        return await self._send(_set(name, values, typed))

    async def unset(self, name: str, settings: Collection[str] = ()) -> JobView:
        return await self._send(_unset(name, settings))


def _set(name: str, values: Mapping[str, Any] | None, typed: Mapping[str, str] | None) -> Call[JobView]:
    body = {"values": dict(values or {}), "typed": dict(typed or {})}
    return Call("PATCH", named("overrides", name), JobView, body=body)


def _unset(name: str, settings: Collection[str]) -> Call[JobView]:
    return Call("DELETE", named("overrides", name), JobView, {"setting": list(settings)})
