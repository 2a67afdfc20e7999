"""core.template: texts from Jinja templates in the home's templates folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from moontide import CoreCall, CoreError, CoreModule, ServiceContext, hookimpl
from moontide.folders import PathRefused, split_path
from moontide.quantities import parse_duration
from plugins.rendering.renderers import Renderers

WRONG = 801


class TemplateSettings(msgspec.Struct, forbid_unknown_fields=True):
    """The table [template] of moontide.toml."""

    folder: str = "templates"
    timeout: int | float | str = "5s"

    def __post_init__(self) -> None:
        if not self.folder.strip() or "\0" in self.folder:
            raise ValueError("folder must be a path, from the home folder")
        if not 0 < parse_duration(self.timeout) <= 60:
            raise ValueError("timeout must be longer than zero, and up to 60s")


template = CoreModule(
    "template",
    summary='Fills Jinja templates of the home: core.template.render("mail/daily.html", { total = 12 }).',
    settings=TemplateSettings,
)


@template.service
@asynccontextmanager
async def open_renderers(settings: TemplateSettings, context: ServiceContext) -> AsyncIterator[Renderers]:
    """Give what renders the templates of the settings' folder."""
    renderers = Renderers(context.home / settings.folder, seconds=parse_duration(settings.timeout))
    try:
        yield renderers
    finally:
        await renderers.close()


def _checked(file: str) -> str:
    try:
        return "/".join(split_path(file))
    except PathRefused as error:
        raise CoreError(f"core.template.render: {file[:100]!r}: {error}", WRONG) from error


# Waiting for a free process counts here; [template] timeout holds for the rendering.
@template.function(timeout_seconds=120.0, needs=lambda file, values: [_checked(file)])
async def render(call: CoreCall, file: str, values: dict[str, Any]) -> str:
    """Return the text of a template in the templates folder, with the values filled in."""
    renderers: Renderers = call.service
    return await renderers.render(file, values)


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `template`."""
    return [template]
