"""Reads moontide.toml and the variables that win over it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.errors import SettingsError
from engine.settings.refusals import problem_of
from engine.settings.schema import FILE_NAME, Settings
from engine.settings.variables import merged, tables_of_variables


def load_settings(home: Path) -> Settings:
    """Read moontide.toml in `home` and the MOONTIDE_... variables, which win over it.

    Without a file the defaults serve.

    Raises:
        SettingsError: names every wrong key, its value (unless it may be secret) and what is allowed.
    """
    return settings_from(_read_file(home / FILE_NAME))


def settings_from(content: Mapping[str, Any]) -> Settings:
    """Return the settings of a moontide.toml with this content, and of the variables, which win over it.

    Raises:
        SettingsError: as `load_settings`.
    """
    tables, given = tables_of_variables(), dict(content)
    for name in [name for name, value in given.items() if isinstance(value, dict)]:
        if name not in Settings.model_fields:
            tables[name] = merged(given.pop(name), tables.get(name, {}))
    try:
        settings = Settings(**given)
        settings._module_tables = tables
        settings._in_file = frozenset(_keys_in(content, ""))
        return settings
    except ValidationError as error:
        problems = [problem_of(detail) for detail in error.errors()]
    # Raised out here so that no traceback shows pydantic's own text, which holds the values.
    raise SettingsError("; ".join(dict.fromkeys(problems)))


def _keys_in(table: Mapping[str, Any], above: str) -> Iterator[str]:
    """Yield the dotted keys of a file, those of tables too."""
    for name, value in table.items():
        yield above + name
        if isinstance(value, Mapping):
            yield from _keys_in(value, f"{above}{name}.")


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from error
    except RecursionError as error:
        raise SettingsError(f"{path}: its tables or lists are nested too deep") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except ValueError as error:  # tomllib does not call it an error of TOML
        raise SettingsError(f"{path}: a number in it has more digits than can be read") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
