"""Where a command works: the home folder, and through it the engine and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import typer

    from engine.api.syncclient import Client
    from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """One home folder. What is heavy to import is imported when it is asked for.

    Attributes:
        commands: names of the command line's own commands, which those of plugins cannot have.
    """

    home: Path
    commands: frozenset[str] = frozenset()

    def client(self) -> Client:
        """Return a client of the engine that works here."""
        from engine.api.address import socket_in
        from engine.api.syncclient import Client

        return Client(socket_in(self.home))

    def settings(self) -> Settings:
        """Return the settings as they stand in this home folder."""
        from engine.settings import load_settings

        return load_settings(self.home)


def place_of(context: typer.Context) -> Place:
    """Return the place that the options before the command name."""
    return cast(Place, context.obj)
