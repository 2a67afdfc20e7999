"""What plugins add where people and programs meet the engine: API routes and commands.

Only values stand here. The API and the command line take up what they hold, each in its own process and only
when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core import CoreModule
from engine.errors import PluginError

if TYPE_CHECKING:
    import typer
    from fastapi import APIRouter

#: What may stand in an address, and on a command line.
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


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
