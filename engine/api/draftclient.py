"""The part of both clients that is about job files while they are written: `client.drafts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.api.calls import Call, Part, S, asked, named
from engine.views import DraftView, LuaClassView, SettingView


class DraftClient(Part[S]):
    """What `engine.api.operations.DraftOperations` describes."""

    @asked
    def settings(self) -> Call[list[SettingView]]:
        return Call("GET", "/v1/settings", list[SettingView])

    @asked
    def classes(self) -> Call[list[LuaClassView]]:
        return Call("GET", "/v1/classes", list[LuaClassView])

    @asked
    def draft(
        self,
        name: str,
        text: str,
        changes: Mapping[str, Any] | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Call[DraftView]:
        body = {"text": text, "changes": dict(changes or {}), "typed": dict(typed or {})}
        return Call("POST", named("drafts", name), DraftView, body=body)
