"""The MOONTIDE_... variables: those of settings, and those of core modules."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Set
from typing import Any

from engine.errors import SettingsError
from engine.settings.refusals import nearest
from engine.settings.schema import NESTING, PREFIX, Settings, setting_fields, variable_of

#: Variables of the same family that are not settings.
_OTHER_VARIABLES = frozenset({"MOONTIDE_HOME"})
#: Variables that hold secrets of jobs; with two underscores it is the settings of the module `secret`.
_OF_SECRETS = re.compile(r"MOONTIDE_SECRET_[A-Za-z]")


def _module_variables(known: Set[str]) -> dict[str, Any]:
    """Return the tables that variables such as MOONTIDE_MYSQL__SHOP__URL set for core modules."""
    tables: dict[str, Any] = {}
    own = {name.upper() for name in Settings.model_fields}
    for name, value in os.environ.items():
        if _OF_SECRETS.match(name):
            continue
        path = name.upper().removeprefix(PREFIX).split(NESTING)
        if name.upper().startswith(PREFIX) and len(path) > 1 and path[0] not in own and name not in known:
            table: Any = value
            for key in reversed(path):
                table = {key.lower(): table}
            tables = merged(tables, table)
    return tables


def tables_of_variables() -> dict[str, Any]:
    """Refuse MOONTIDE_... variables that are no setting; their values are not told, they may be secret.

    Returns:
        the tables for core modules, which are checked when those are known.
    """
    known = {variable_of(key) for key, _ in setting_fields()}
    tables = _module_variables(known)
    problems = [
        f"unknown variable {name}{nearest(name.upper(), known)}"
        for name in sorted(os.environ)
        if name.upper().startswith(PREFIX)
        and not _OF_SECRETS.match(name)
        and name.upper() not in known | _OTHER_VARIABLES
        and name.upper().removeprefix(PREFIX).partition(NESTING)[0].lower() not in tables
    ]
    if problems:
        raise SettingsError("; ".join(problems))
    return tables


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two tables as one; where both have a value, `above` wins."""
    table = dict(below)
    for key, value in above.items():
        inner = table.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            value = merged(inner, value)
        table[key] = value
    return table
