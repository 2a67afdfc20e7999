"""The part of both clients that is about settings and library: `client.overview`."""

from __future__ import annotations

from engine.api.answers import Source
from engine.api.calls import Call, named
from engine.api.sending import AsyncSend, Send
from engine.views import EngineSettingView, ModuleView


class OverviewClient:
    """What `engine.api.operations.OverviewOperations` describes."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def settings(self) -> list[EngineSettingView]:
        return self._send(_settings())

    def library(self) -> list[ModuleView]:
        return self._send(_library())

    def module_source(self, name: str) -> Source:
        return self._send(_module_source(name))


class AsyncOverviewClient:
    """`OverviewClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def settings(self) -> list[EngineSettingView]:
        return await self._send(_settings())

    async def library(self) -> list[ModuleView]:
        return await self._send(_library())

    async def module_source(self, name: str) -> Source:
        return await self._send(_module_source(name))


def _settings() -> Call[list[EngineSettingView]]:
    return Call("GET", "/v1/engine-settings", list[EngineSettingView])


def _library() -> Call[list[ModuleView]]:
    return Call("GET", "/v1/library", list[ModuleView])


def _module_source(name: str) -> Call[Source]:
    return Call("GET", named("library", name), Source)
