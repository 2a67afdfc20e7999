"""The part of both clients that is about the engine's settings and the library: `client.overview`."""

from __future__ import annotations

from engine.api.answers import Source
from engine.api.calls import Call, Part, S, asked, named
from engine.views import EngineSettingView, ModuleView


class OverviewClient(Part[S]):
    """What `engine.api.operations.OverviewOperations` describes."""

    @asked
    def settings(self) -> Call[list[EngineSettingView]]:
        return Call("GET", "/v1/engine-settings", list[EngineSettingView])

    @asked
    def library(self) -> Call[list[ModuleView]]:
        return Call("GET", "/v1/library", list[ModuleView])

    @asked
    def module_source(self, name: str) -> Call[Source]:
        return Call("GET", named("library", name), Source)
