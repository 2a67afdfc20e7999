"""What job files meet in Lua: tables with their functions and types."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LuaParameterView:
    """One argument of a function in Lua, with its type as LuaLS writes it."""

    name: str
    type: str
    optional: bool
    doc: str


@dataclass(frozen=True, slots=True)
class LuaMemberView:
    """What a table in Lua holds under one name.

    Attributes:
        type: as LuaLS writes it; "function" for one.
        method: it is called with a colon.
        parameters: of what can be called; None for all else.
        returns: the types of its values.
    """

    name: str
    type: str
    doc: str
    method: bool = False
    parameters: list[LuaParameterView] | None = None
    returns: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LuaClassView:
    """A table that job files meet, such as `core` or `moontide.JobSettings`."""

    name: str
    doc: str
    members: list[LuaMemberView]
