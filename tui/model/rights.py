"""Which actions take which role. The engine decides for itself; this is so that nobody tries in vain."""

from __future__ import annotations

from engine.roles import Role

#: Actions that decide when jobs run, by the names that screens give them.
_OF_OPERATORS = frozenset(
    {
        "run",
        "run_with",
        "again",
        "again_with",
        "cancel",
        "cancel_run",
        "switch",
        "pause",
        "pause_engine",
        "acknowledge",
        "reload",
        "remove",
        "state",
    }
)

#: Actions that decide what jobs are.
_OF_ADMINS = frozenset(
    {"new", "edit", "editor", "own_editor", "form", "delete", "save", "save_and_run", "drain", "forget"}
)

#: All actions that take a role.
ACTIONS = _OF_OPERATORS | _OF_ADMINS


def role_for(action: str) -> Role:
    """Return the role that an action takes, such as "run" or "screen.tab('log')"."""
    name = action.partition("(")[0].rpartition(".")[2]
    if name in _OF_ADMINS:
        return Role.ADMIN
    return Role.OPERATOR if name in _OF_OPERATORS else Role.VIEWER


def why_closed(action: str, role: Role) -> str:
    """Return why somebody cannot carry out an action, or ""."""
    needed = role_for(action)
    return "" if role.may(needed) else f"needs the role {needed}"
