"""How the screen of a plugin is loaded when it is opened.

The engine tells their names; the code comes from the plugin as it is installed where the dashboard runs, and
only from modules of that plugin's own.
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

from engine.errors import PluginError
from tui.model.added import AddedScreen
from tui.screens.report import ReportScreen

GROUP = "moontide"


def load_screen(added: AddedScreen) -> type[ReportScreen]:
    """Return the class of a screen.

    Raises:
        PluginError: the plugin is not installed here, or has no such screen.
    """
    module, _, name = added.path.partition(":")
    if not _is_of_plugin(module, added.plugin):
        raise PluginError(
            f"the screen {added.title} cannot be shown: plugin {added.plugin} is not installed "
            "where this dashboard runs"
        )
    try:
        kind = getattr(importlib.import_module(module), name)
        if not (isinstance(kind, type) and issubclass(kind, ReportScreen)):
            raise TypeError(f"{added.path} is no ReportScreen")
        return kind
    # Also one that calls sys.exit() must not end the dashboard.
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(f"the screen {added.title} of plugin {added.plugin} failed: {reason}") from error


def _is_of_plugin(module: str, plugin: str) -> bool:
    """Return whether a module belongs to the plugin: an engine's word alone must not import anything."""
    own = [entry.module for entry in entry_points(group=GROUP, name=plugin)]
    return any(module == one or module.startswith((f"{one}_", f"{one}.")) for one in own)
