"""Which role a request needs: looking needs viewer, what changes something admin, unless it says otherwise.

So a route that nobody thought of is closed to all but admins, also one that a plugin adds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute

from engine.roles import Role

#: Requests that change nothing.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

#: The name under which a route's description says its role.
ROLE_KEY = "x-moontide-role"

#: `openapi_extra` of a route that changes something and is open to operators.
FOR_OPERATORS: dict[str, Any] = {ROLE_KEY: Role.OPERATOR.value}


class Rights:
    """The roles that the routes of some routers need."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._for_operators: list[tuple[set[str], re.Pattern[str]]] = [
            (route.methods or set(), route.path_regex)
            for router in routers
            for route in router.routes
            if isinstance(route, APIRoute) and (route.openapi_extra or {}).get(ROLE_KEY) == Role.OPERATOR
        ]

    def needed(self, method: str, path: str) -> Role:
        """Return the role that a request needs, whether there is such a route or not."""
        if method in SAFE_METHODS:
            return Role.VIEWER
        open_to_operators = any(
            method in methods and regex.match(path) for methods, regex in self._for_operators
        )
        return Role.OPERATOR if open_to_operators else Role.ADMIN
