"""Core modules while an engine runs: their own tables of moontide.toml, and their services."""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_args, get_origin

import msgspec

from engine.calls.core import CoreModule, ServiceContext
from engine.errors import PluginError, SettingsError
from engine.settings import Settings

logger = logging.getLogger("moontide.modules")


#: How long a module's service may take to open, and to close.
SERVICE_SECONDS = 30.0

#: Asked when a module cannot be made ready, with its name and the reason: true if the engine can do without.
SetAside = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Unready:
    """Stands for the settings and the service of a module that was set aside."""

    reason: str


def _cannot_do_without(_module: str, _reason: str) -> bool:
    return False


def module_settings(
    modules: Mapping[str, CoreModule],
    tables: Mapping[str, Mapping[str, Any]],
    *,
    set_aside: SetAside = _cannot_do_without,
    unclaimed: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Return each module's settings, checked, by the module's name.

    Args:
        tables: the tables of moontide.toml (and variables) that are not the engine's own.
        set_aside: whether the engine goes on without a module whose table is wrong.
        unclaimed: takes the words about a table that no module wants, where that is no error.

    Raises:
        SettingsError: a table that no module wants, or a wrong value in one; values are never told.
    """
    wanted = {name: module.settings for name, module in modules.items() if module.settings is not None}
    problems: list[str] = []
    for words in (_unclaimed(name, wanted) for name in tables if name not in wanted):
        (unclaimed or problems.append)(words)
    settings: dict[str, Any] = {}
    for name, kind in wanted.items():
        try:
            settings[name] = _checked(name, tables.get(name, {}), kind)
        except ValueError as error:
            reason = f"moontide.toml: {error}"
            if set_aside(name, reason):
                settings[name] = Unready(reason)
            else:
                problems.append(reason)
    if problems:
        raise SettingsError("; ".join(problems))
    return settings


async def open_services(
    modules: Mapping[str, CoreModule],
    settings: Mapping[str, Any],
    context: ServiceContext,
    parts: AsyncExitStack,
    *,
    set_aside: SetAside = _cannot_do_without,
) -> dict[str, Any]:
    """Open the services of all modules; they are closed with `parts`.

    Args:
        set_aside: whether the engine goes on without a module whose service does not open.

    Returns:
        what each yielded, by the module's name; `Unready` for a module that was set aside.

    Raises:
        PluginError: a service did not open.
    """
    services: dict[str, Any] = {}
    context = replace(context, settings=settings)
    for name, module in modules.items():
        own = settings.get(name)
        if isinstance(own, Unready):
            services[name] = own
        elif module.open_service is not None:
            opened = partial(module.open_service, own, context)
            services[name] = await _open(name, opened, parts, set_aside)
    return services


async def _open(
    name: str,
    opened: Callable[[], AbstractAsyncContextManager[Any]],
    parts: AsyncExitStack,
    set_aside: SetAside,
) -> Any:
    try:
        async with asyncio.timeout(SERVICE_SECONDS):
            service_context = opened()
            service = await service_context.__aenter__()
    # Also one that calls sys.exit() must not take the engine with it.
    except (Exception, SystemExit) as error:
        reason = f"core.{name} could not be made ready: {_reason(error)}"
        if not set_aside(name, reason):
            raise PluginError(reason) from error
        logger.warning("%s", reason, exc_info=error)
        return Unready(reason)
    parts.push_async_callback(_close, name, service_context)
    return service


async def _close(name: str, context: AbstractAsyncContextManager[Any]) -> None:
    try:
        async with asyncio.timeout(SERVICE_SECONDS):
            await context.__aexit__(None, None, None)
    except (Exception, SystemExit):
        logger.exception("core.%s could not be closed", name)


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _unclaimed(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, [*Settings.model_fields, *known], n=1)
    hint = f"; did you mean [{near[0]}]?" if near else f"; there are {', '.join(sorted(known)) or 'none'}"
    return f"moontide.toml: no core module takes a table [{name}]{hint}"


def _checked(name: str, table: Mapping[str, Any], kind: Any) -> Any:
    """Return a module's settings; `dict[str, Struct]` stands for a table under each name of the operator's.

    Raises:
        ValueError: something in it is wrong.
    """
    if get_origin(kind) is not dict:
        return _converted(name, table, kind)
    return {key: _converted(f"{name}.{key}", value, get_args(kind)[1]) for key, value in table.items()}


def _converted(name: str, value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise ValueError(f"[{name}] {_in_words(str(error))}") from error


def _in_words(problem: str) -> str:
    what, _, place = problem.partition(" - at `$")
    key = place.rstrip("`").lstrip(".")
    return f"{key}: {what}" if key else what
