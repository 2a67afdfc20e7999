"""The front door as the settings want it, where what it takes is installed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api.callers import Callers
from engine.errors import SettingsError
from engine.settings.sections import SshSettings

if TYPE_CHECKING:
    from engine.door.door import Door

#: The folder in which the dashboards of the front door remember what each key likes.
MEMORIES_NAME = "dashboards"


def make_door(
    settings: SshSettings,
    home: Path,
    *,
    callers: Callers,
    socket: Path,
    note: Callable[[str, str], Awaitable[None]],
) -> Door:
    """Return the front door of an engine.

    Raises:
        SettingsError: what it is made with is not installed.
    """
    try:
        from engine.door.door import Door, DoorSettings
    except ImportError as error:
        raise SettingsError(
            f"ssh.listen is set, but what it takes is not installed ({error}): pip install 'moontide[ssh]'"
        ) from error
    wanted = DoorSettings(
        listen=settings.listen,
        keys=home / settings.keys,
        host_key=home / settings.host_key,
        memories=(home / MEMORIES_NAME).absolute(),
        sessions=settings.sessions,
        sessions_per_key=settings.sessions_per_key,
        idle_seconds=settings.idle,
    )
    return Door(wanted, socket=socket, callers=callers, note=note)
