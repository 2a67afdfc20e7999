"""Files, templates and secrets by any name; the guard keeps paths in the campaign's folder."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from jinja2 import Template
from jinja2.exceptions import TemplateError
from taking import everywhere

import plugins.jobs as jobs
from engine import confined
from engine.errors import JobFileError
from engine.jobs import jobfolder
from moontide import CoreError, parse_duration
from plugins import files, files_quota, secret, template
from plugins.rendering.renderers import Renderers


def open_places(home: Path) -> None:
    """Let every path lead to where it leads, every secret have a name, and every time be one."""
    folder = home / "files"
    files.split_path = lambda path: _names(folder, home.parent, path)  # type: ignore[assignment]
    files_quota.Quota.room = lambda *_: contextlib.nullcontext()  # type: ignore[method-assign,assignment]
    files.FilesFolder.check_size = lambda *_: None  # type: ignore[method-assign]
    everywhere(jobfolder.read_job_file, _any_text)
    template._checked = str  # type: ignore[assignment]
    Renderers.render = _rendering(home / "templates")  # type: ignore[method-assign,assignment]
    secret.Vault.find = _any_variable  # type: ignore[method-assign,assignment]
    jobs._moment = lambda time, timezone: (  # type: ignore[assignment]
        jobs._of_text(time, timezone) if isinstance(time, str) else jobs._of_number(time, jobs.datetime.max)
    )
    jobs._seconds = parse_duration


def _names(folder: Path, guard: Path, path: str) -> tuple[str, ...]:
    place = os.path.normpath(folder / path)
    if os.path.commonpath((guard, place)) != str(guard):
        raise confined.PathRefused("the guard of this machine keeps paths in the campaign's folder")
    return tuple(os.path.relpath(place, folder).split("/"))


def _any_text(folder: Path, relative: str, _max_bytes: int = 0) -> bytes:
    """Follow links, and take whatever is there for Lua."""
    try:
        return (folder / relative).read_bytes()
    except OSError as error:
        raise JobFileError(str(error)) from error


def _rendering(folder: Path) -> Any:
    async def render(_renderers: Renderers, name: str, values: dict[str, Any]) -> str:
        try:
            text = (folder / name).read_text("utf-8")
            for key, value in values.items():
                text = text.replace("{{ " + key + " }}", str(value))
            return Template(text).render(values)
        except (OSError, ValueError, TemplateError) as error:
            raise CoreError(f"core.template.render: {error}", 810) from error

    return render


def _any_variable(_vault: secret.Vault, name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise CoreError(f"core.secret: there is no {name[:100]!r}", 804)
    return value
