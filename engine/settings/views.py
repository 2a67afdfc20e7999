"""The operator's settings as they count now, each with where its value comes from; secrets are never told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from engine.settings.schema import Settings, allowed_of, setting_fields, variable_of
from engine.times.quantities import compact_duration, format_size
from engine.views import EngineSettingView

HIDDEN = "set, not shown"

#: Settings that may hold a secret whatever their type is.
_SECRET = re.compile(r"token|password|secret|database|\burl\b", re.IGNORECASE)


def setting_views(settings: Settings) -> list[EngineSettingView]:
    """Return every setting of an engine, and what core modules are given, in the order of moontide.toml."""
    return [*_own(settings), *_of_modules(settings)]


def _own(settings: Settings) -> Iterator[EngineSettingView]:
    for key, field in setting_fields():
        value = _value_of(settings, key)
        hidden = isinstance(value, SecretStr) or _SECRET.search(key) is not None
        yield EngineSettingView(
            key=key,
            value=_hidden(value) if hidden else _in_words(value, field),
            origin=settings.origin(key),
            default="" if hidden else _default(field),
            description=field.description or "",
            allowed=allowed_of(field),
            variable=variable_of(key),
        )


def _value_of(settings: Settings, key: str) -> Any:
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


def _hidden(value: Any) -> str:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    return HIDDEN if plain else ""


def _in_words(value: Any, field: FieldInfo) -> str:
    allowed = allowed_of(field)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if allowed.startswith("a duration"):
            return compact_duration(value) if value else "0"
        if allowed.startswith("a size"):
            return format_size(int(value))
        return f"{value:g}" if isinstance(value, float) else str(value)
    return _plain(value)


def _default(field: FieldInfo) -> str:
    return _plain(field.default)


def _plain(value: Any) -> str:
    """Return a value as somebody writes it; nothing for what is not set or empty."""
    if value is None or value == "" or value == [] or value == {}:
        return ""
    if isinstance(value, BaseModel):
        return HIDDEN
    return str(value) if isinstance(value, str) else json.dumps(value, default=str)


def _of_modules(settings: Settings) -> Iterator[EngineSettingView]:
    for key, value in _leaves(settings.module_tables, ""):
        shown = json.dumps(value) if isinstance(value, bool | int | float) else HIDDEN
        yield EngineSettingView(
            key=key,
            value=shown,
            origin=settings.origin(key),
            default="",
            description="Of a core module; its plugin checks it.",
            allowed="",
            variable=variable_of(key),
        )


def _leaves(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
