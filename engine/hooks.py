"""Every hook the engine asks plugins, typed and described in one place.

A hook's name tells what it returns: `moontide_<things>` gives a list of those things. Hooks are asked
once, while the engine starts, on its main thread and before its loop serves anything; an implementation
that raises is taken out, and `moontide plugins` shows the reason.
"""

from __future__ import annotations

import pluggy

from engine.core import CoreModule
from engine.subscribers import EventSubscriber

PROJECT = "moontide"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class HookSpecs:
    """The questions; a plugin answers those it knows."""

    @hookspec
    def moontide_core_modules(self) -> list[CoreModule]:
        """Return the tables this plugin adds below `core`.

        A name that a built-in module has already is refused for the newcomer, with a line in
        `moontide plugins`; between two strangers the first by plugin name wins.
        """
        raise NotImplementedError

    @hookspec
    def moontide_event_subscribers(self) -> list[EventSubscriber]:
        """Return what this plugin does when something happens in the engine.

        Each subscriber is told in order, behind the engine's back: one that fails is logged and changes
        nothing, one that is slow makes only itself wait.
        """
        raise NotImplementedError
