"""Routes that plugins add to the API: made as the engine starts, behind the same walls as its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.openapi.utils import get_openapi

from engine.api.rights import SAFE_METHODS
from engine.api.routes import Actor, Engine
from engine.extensions.modules import Unready
from engine.extensions.surfaces import ApiRoutes

logger = logging.getLogger("moontide.api")

SetAside = Callable[[str, str], object]


def prefix_of(plugin: str) -> str:
    """Return the path below which a plugin's routes are."""
    return f"/v1/plugins/{plugin}"


def make_routers(
    offered: Mapping[str, Iterable[ApiRoutes]], services: Mapping[str, Any], set_aside: SetAside
) -> list[APIRouter]:
    """Return a router for each plugin that gives routes.

    Args:
        offered: routes by the plugin's name; those whose module was set aside are left out.
        services: what the modules' services yielded, by the module's name.
        set_aside: told the plugin and the reason where routes cannot be made.
    """
    routers = []
    for plugin, routes in offered.items():
        try:
            routers.append(_router_of(plugin, routes, services))
        # Also one that calls sys.exit() must not take the engine with it.
        except (Exception, SystemExit) as error:
            reason = f"its API routes could not be made: {type(error).__name__}: {error}"
            logger.warning("plugin %s: %s", plugin, reason, exc_info=error)
            set_aside(plugin, reason)
    return routers


def _router_of(plugin: str, routes: Iterable[ApiRoutes], services: Mapping[str, Any]) -> APIRouter:
    whole = APIRouter(
        prefix=prefix_of(plugin), tags=[f"plugin {plugin}"], dependencies=[Depends(_auditor(plugin))]
    )
    for one in routes:
        if one.module is not None and isinstance(services.get(one.module.name), Unready):
            continue
        router = one.make() if one.module is None else one.make(services.get(one.module.name))
        if not isinstance(router, APIRouter):
            raise TypeError(f"make must return an APIRouter, not {type(router).__name__}")
        whole.include_router(router)
    # Found here, what cannot be described makes no request for /openapi.json fail later.
    get_openapi(title=plugin, version="0", routes=whole.routes)
    return whole


def _auditor(plugin: str) -> Callable[..., Any]:
    async def audit(request: Request, engine: Engine, actor: Actor) -> None:
        if request.method not in SAFE_METHODS:
            path = request.url.path.removeprefix(prefix_of(plugin))
            await engine.note(f"{request.method} {path or '/'}", f"plugin {plugin}", actor=actor)

    return audit
