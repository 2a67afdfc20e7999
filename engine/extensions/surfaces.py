"""What plugins add where people and programs meet the engine: API routes, commands, screens of the dashboard.

Only values stand here. The API, the command line and the dashboard take up what they hold, each in its own
process and only when it is asked for: the engine loads no screen, and no command loads routes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.calls.core import CoreModule
from engine.errors import PluginError

if TYPE_CHECKING:
    import typer
    from fastapi import APIRouter

#: Keys for screens of plugins; the dashboard uses none of them everywhere.
SCREEN_KEYS = ("f2", "f3", "f4", "f6", "f7", "f9", "f10", "f11", "f12")

#: What may stand in an address, and on a command line.
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
LONGEST_TITLE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRoutes:
    """Routes of the HTTP API, below /v1/plugins/NAME, where NAME is the plugin's.

    Attributes:
        make: called once while the engine starts, with the service of `module` where that is given; returns a
            FastAPI router. Its plain functions run in threads, its coroutine functions on the engine's loop.
        module: a core module of the same plugin, whose service the routes need.
    """

    make: Callable[..., APIRouter]
    module: CoreModule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginCommand:
    """A command with commands of its own, called as `moontide NAME ...`.

    Attributes:
        make: called when the command is given; returns a typer application.
        help: one sentence for `moontide --help`.
    """

    name: str
    make: Callable[[], typer.Typer]
    help: str

    def __post_init__(self) -> None:
        """Refuse a name that nobody could type.

        Raises:
            PluginError: says what is wrong with it.
        """
        if not PLAIN_NAME.fullmatch(self.name):
            raise PluginError(f"command {self.name!r} must be a word of letters, digits, - and _")


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardScreen:
    """A screen of the dashboard, which loads it when it is opened.

    Attributes:
        title: a few words, for the list of actions and the screen's own head.
        path: where its class is, such as "moontide_slack_screen:SlackScreen"; a `ReportScreen` of
            `moontide.dashboard`.
        key: opens it from everywhere; without one it is found among the actions.
    """

    title: str
    path: str
    key: str = ""

    def __post_init__(self) -> None:
        """Refuse what the dashboard could not show.

        Raises:
            PluginError: says what is wrong with it.
        """
        if not 0 < len(self.title) <= LONGEST_TITLE or not self.title.isprintable():
            raise PluginError(f"a screen needs a title of 1 to {LONGEST_TITLE} characters")
        if not _PATH.fullmatch(self.path):
            raise PluginError(f'screen {self.title}: path must be such as "package.module:Class"')
        if self.key and self.key not in SCREEN_KEYS:
            raise PluginError(f"screen {self.title}: key must be one of {', '.join(SCREEN_KEYS)}")

    def belongs_to(self, module: str) -> bool:
        """Return whether the class is in a plugin's own module, or in one whose name begins with that."""
        own = self.path.partition(":")[0]
        return bool(module) and (own == module or own.startswith((f"{module}_", f"{module}.")))
