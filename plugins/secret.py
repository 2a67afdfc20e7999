"""core.secret: what must not stand in a job file, such as a password."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from moontide import CoreCall, CoreError, CoreModule, ServiceContext, hookimpl

MISSING, WRONG, UNREADABLE = 804, 801, 820

#: Of the environment variables that hold secrets: what comes before the name.
PREFIX = "MOONTIDE_SECRET_"

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}", re.ASCII)

MOST_BYTES = 64 * 1024


class SecretSettings(msgspec.Struct, forbid_unknown_fields=True):
    """Where secrets are found, besides the environment.

    Attributes:
        files: by the secret's name, the file that holds it; from the home folder.
        folder: a folder of files that are named like the secrets, such as /run/secrets.
    """

    files: dict[str, str] = {}
    folder: str = ""


class Vault:
    """Finds secrets anew at each call, so that a changed one is used at once."""

    def __init__(self, settings: SecretSettings, home: Path) -> None:
        self._settings = settings
        self._home = home

    def find(self, name: str) -> str:
        """Return a secret; the environment wins over files.

        Raises:
            CoreError: there is none of this name, or its file cannot be read.
        """
        if NAME.fullmatch(name) is None:
            raise CoreError("core.secret: a name has letters, digits and _, and begins with a letter", WRONG)
        value = os.environ.get(PREFIX + name) or self._in_file(name)
        if not value:
            raise CoreError(
                f"core.secret: there is no secret {name}; set the variable {PREFIX}{name} for the engine, "
                f"or name a file in moontide.toml: [secret] files = {{ {name} = ... }}",
                MISSING,
            )
        return value

    def _in_file(self, name: str) -> str | None:
        path = self._path(name)
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise CoreError(f"core.secret: the file of {name} is larger than 64 KB", UNREADABLE)
            return data.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise CoreError(
                f"core.secret: the file of {name} cannot be read as text; look at [secret] in moontide.toml",
                UNREADABLE,
            ) from error

    def _path(self, name: str) -> Path | None:
        if name in self._settings.files:
            return self._home / self._settings.files[name]
        if not self._settings.folder:
            return None
        path = self._home / self._settings.folder / name
        return path if path.exists() else None


FACADE = """
local native = ...

--- Return a secret; what the run leaves behind shows *** in its place.
---@param name string
---@return string? secret
---@return string? problem
---@return integer? code
return native.get
"""

secret = CoreModule(
    "secret",
    summary='Gives a secret of the operator: core.secret("SHOP_TOKEN"). Logs and records show *** instead.',
    facade=FACADE,
    settings=SecretSettings,
)


@secret.service
@asynccontextmanager
async def open_vault(settings: SecretSettings, context: ServiceContext) -> AsyncIterator[Vault]:
    """Give what finds secrets."""
    yield Vault(settings, context.home)


@secret.function(needs=lambda name: [name])
def get(call: CoreCall, name: str) -> str:
    """Return a secret by its name; wherever the run leaves its value behind, *** stands instead."""
    vault: Vault = call.service
    value = vault.find(name)
    call.hide(value)
    return value


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `secret`, which is a function in Lua."""
    return [secret]
