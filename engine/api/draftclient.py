"""The part of both clients that is about job files that are not written yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.api.calls import Call, named
from engine.api.sending import AsyncSend, Send
from engine.views import DraftView, LuaClassView, SettingView


class DraftClient:
    """What `engine.api.operations.DraftOperations` describes."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def settings(self) -> list[SettingView]:
        return self._send(_settings())

    def classes(self) -> list[LuaClassView]:
        return self._send(_classes())

    def draft(
        self,
        name: str,
        text: str,
        changes: Mapping[str, Any] | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> DraftView:
        return self._send(_draft(name, text, changes, typed))


class AsyncDraftClient:
    """`DraftClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def settings(self) -> list[SettingView]:
        return await self._send(_settings())

    async def classes(self) -> list[LuaClassView]:
        return await self._send(_classes())

    async def draft(
        self,
        name: str,
        text: str,
        changes: Mapping[str, Any] | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> DraftView:
        return await self._send(_draft(name, text, changes, typed))


def _settings() -> Call[list[SettingView]]:
    return Call("GET", "/v1/settings", list[SettingView])


def _classes() -> Call[list[LuaClassView]]:
    return Call("GET", "/v1/classes", list[LuaClassView])


def _draft(
    name: str, text: str, changes: Mapping[str, Any] | None, typed: Mapping[str, str] | None
) -> Call[DraftView]:
    body = {"text": text, "changes": dict(changes or {}), "typed": dict(typed or {})}
    return Call("POST", named("drafts", name), DraftView, body=body)
