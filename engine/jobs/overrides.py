"""Settings that an operator gave a job at run time: they stand in the place of what its file says. Pure.

A value of the operator's replaces the file's value of that setting. What makes a job due is taken as one
thing: where the operator gave any of it (`every`, `cron`, `at`, a plugin's kind), none of the file's counts.
None as a value means that the setting has no value, as if the file did not mention it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

#: Values by the name of the setting, as a job file would give them.
Overrides = Mapping[str, Any]

NONE: Overrides = {}

FILE = "file"
OPERATOR = "operator"

#: The setting for which there are commands of its own.
SWITCH = "active"


def merged(declared: Any, overrides: Overrides, kinds: Collection[str]) -> Any:
    """Return the table that a job file would give to `core.job` if it said what the operator says.

    Args:
        declared: the table that it does give; anything else is returned as it is.
        kinds: the settings that make a job due.
    """
    if not overrides or not isinstance(declared, Mapping):
        return declared
    kept = {name: value for name, value in declared.items() if name not in set_aside(overrides, kinds)}
    return kept | {name: value for name, value in overrides.items() if value is not None}


def set_aside(overrides: Overrides, kinds: Collection[str]) -> set[str]:
    """Return the settings of which the file's value does not count."""
    names = set(overrides)
    return names if names.isdisjoint(kinds) else names.union(kinds)


def origins(declared: Any, overrides: Overrides, kinds: Collection[str]) -> dict[str, str]:
    """Return where values come from, by setting: from the file or the operator; all others are defaults."""
    table = declared if isinstance(declared, Mapping) else {}
    aside = set_aside(overrides, kinds)
    found = {str(name): FILE for name, value in table.items() if value is not None and name not in aside}
    return found | dict.fromkeys(overrides, OPERATOR)


def replaced(declared: Any, overrides: Overrides, kinds: Collection[str]) -> dict[str, Any]:
    """Return what the file says that does not count, by setting."""
    table = declared if isinstance(declared, Mapping) else {}
    aside = set_aside(overrides, kinds)
    return {name: value for name, value in table.items() if name in aside and value is not None}
