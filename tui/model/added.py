"""Screens that plugins add, as the engine tells of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.views import PluginView


@dataclass(frozen=True, slots=True)
class AddedScreen:
    """A screen that a plugin of the engine adds.

    Attributes:
        key: opens it; "" without one.
        path: where its class is, "module:Class".
    """

    plugin: str
    title: str
    key: str
    path: str


def added_screens(plugins: Iterable[PluginView]) -> list[AddedScreen]:
    """Return the screens of the plugins that work."""
    return [
        AddedScreen(plugin.name, screen.title, screen.key, screen.path)
        for plugin in plugins
        if plugin.status == "loaded"
        for screen in plugin.screens
    ]
