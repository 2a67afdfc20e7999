"""Definition files for the Lua language server: completion and checks for job files in editors.

They are made from the declarations of the core modules and of the job settings, and from the names of the
jobs. What no declaration covers, the job object and the plain functions of `core`, stands in
`definitions.lua` beside this file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from engine.calls.core import CoreModule
from engine.calls.signatures import (
    LuaTypes,
    Parameter,
    Signature,
    facade_remarks,
    lua_literal,
    one_line,
    signature_of,
    split_doc,
)
from engine.events import Event, JobsReloaded
from engine.jobs.additions import Setting
from engine.jobs.jobfile import SETTINGS

logger = logging.getLogger("moontide.stubs")

FOLDER = ".luals"
CONFIG = ".luarc.json"
HEADER = "---@meta\n-- Made by Moontide; changes are written over.\n"

#: What Lua gets besides the values of a function when it fails.
FAILURE = ("string? problem", "integer? code")


def language_server_settings(library: str) -> str:
    """Return a .luarc.json that knows the definition files.

    Args:
        library: their folder, from the folder of the file.
    """
    settings = {
        "runtime.version": "Lua 5.4",
        "runtime.path": ["?.lua", "jobs/?.lua"],
        "runtime.builtin": {"debug": "disable", "io": "disable", "package": "disable"},
        "workspace.library": [library],
    }
    return json.dumps(settings, indent=2) + "\n"


def definitions(
    modules: Mapping[str, CoreModule], jobs: Iterable[str], added: Collection[Setting] = ()
) -> dict[str, str]:
    """Return the definition files by name.

    Args:
        modules: what stands below `core`.
        jobs: the names of all jobs.
        added: settings of job files that plugins add.
    """
    static = Path(__file__).with_name("definitions.lua").read_text("utf-8")
    files = {
        "job.lua": f"{HEADER}\n{static}\n{_job_settings([*SETTINGS, *added])}",
        "jobs.lua": f"{HEADER}\n{_job_names(sorted(jobs))}",
        "core.lua": f"{HEADER}\n{_core_table(modules)}",
    }
    for name, module in modules.items():
        files[f"core_{name}.lua"] = f"{HEADER}\n{module_definitions(module)}"
    return files


def module_definitions(module: CoreModule) -> str:
    """Return the definitions of one core module.

    A facade speaks for itself by its LuaLS comments; without any, and without a facade, the declared
    functions are the module's table.
    """
    types = LuaTypes(f"core.{module.name}.")
    signatures = [signature_of(function, types) for function in module.functions.values()]
    structs = [_struct(name, kind) for name, kind in types.structs.items()]
    return "\n\n".join([*structs, *(_facade(module) or _table(module, signatures))]) + "\n"


def _facade(module: CoreModule) -> list[str]:
    return ["\n".join([*one.lines, one.code]).rstrip() for one in facade_remarks(module)]


def _table(module: CoreModule, signatures: Iterable[Signature]) -> list[str]:
    lines = [*_doc(module.summary), f"---@class core.{module.name}"]
    if module.facade:
        # What the facade makes of the functions is not told; it may well be one.
        lines.append("---@overload fun(...): any")
    functions = [_function(one, "module." + one.name.rpartition(".")[2]) for one in signatures]
    return ["\n".join([*lines, "local module = {}"]), *functions]


def _core_table(modules: Mapping[str, CoreModule]) -> str:
    functions = {name for name, module in modules.items() if _is_function(module)}
    tables = [
        f"---@field {name} core.{name} {one_line(module.summary)}"
        for name, module in sorted(modules.items())
        if name not in functions
    ]
    return "\n".join(["---@class core", *tables, "core = core", ""])


def _is_function(module: CoreModule) -> bool:
    return any(one.name == f"core.{module.name}" for one in facade_remarks(module))


def _function(signature: Signature, name: str) -> str:
    lines = _doc(signature.doc)
    lines += [_parameter(one) for one in signature.parameters]
    lines += _return_lines(signature.returns)
    names = ", ".join(one.name for one in signature.parameters)
    return "\n".join([*lines, f"function {name}({names}) end"])


def _parameter(parameter: Parameter) -> str:
    optional = "" if parameter.default is None else "?"
    return f"---@param {parameter.name}{optional} {_given(parameter.type)} {parameter.doc}".rstrip()


def _return_lines(returns: Sequence[str]) -> list[str]:
    if not returns:
        return []
    first = returns[0] if "nil" in returns[0].split("|") else f"{returns[0]}|nil"
    rest = [*returns[1:], *FAILURE[max(0, len(returns) - 1) :]]
    return [f"---@return {one}" for one in (first, *rest)]


def _struct(name: str, kind: type[msgspec.Struct]) -> str:
    doc, attributes = split_doc(kind.__doc__ or "")
    types = LuaTypes(name.removesuffix(kind.__name__))
    lines = [*_doc(doc), f"---@class (exact) {name}"]
    for one in msgspec.structs.fields(kind):
        optional, written = "" if one.required else "?", types.of(one.type)
        words = attributes.get(one.name, "")
        lines.append(f"---@field {one.encode_name}{optional} {_given(written)} {words}".rstrip())
    return "\n".join(lines)


def _given(written: str) -> str:
    """Return a type without nil, for what is marked as optional."""
    return "|".join(kind for kind in written.split("|") if kind != "nil") or "any"


def _job_settings(settings: Iterable[Setting]) -> str:
    lines = ["--- What `core.job { ... }` takes.", "---@class (exact) moontide.JobSettings"]
    lines += map(_setting, settings)
    return "\n".join(lines) + "\n"


def _setting(setting: Setting) -> str:
    kinds = _given(LuaTypes().of(setting.type)).split("|")
    example = setting.example.strip()
    if example.startswith('"') and "string" not in kinds:
        # Durations and sizes are kept as numbers, and mostly written as texts.
        kinds.append("string")
    if example.startswith("{") and not any(kind.startswith("table") or "[]" in kind for kind in kinds):
        kinds.append("table")
    return f"---@field {setting.name}? {'|'.join(kinds)} {one_line(setting.help)}"


def _job_names(jobs: Sequence[str]) -> str:
    names = [f"---| {lua_literal(name)}" for name in jobs] or ["---| string"]
    return "\n".join(["--- The jobs of this folder.", "---@alias moontide.JobName", *names, ""])


def _doc(text: str) -> list[str]:
    return [f"--- {line}".rstrip() for line in text.strip().splitlines()]


# Files


def write_stubs(
    folder: Path,
    modules: Mapping[str, CoreModule],
    jobs: Iterable[str],
    added: Collection[Setting] = (),
) -> list[Path]:
    """Bring the definition files of a jobs folder up to date; the arguments are those of `definitions`.

    A file that is right already is not touched, and a .luarc.json that is there is never written over.

    Returns:
        what was written or removed.

    Raises:
        OSError: a file cannot be written.
    """
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    wanted = definitions(modules, jobs, added)
    changed = list(_outdated(target, wanted))
    for path in changed:
        path.unlink()
    for name, text in wanted.items():
        changed += _write(target / name, text)
    if not (folder / CONFIG).exists():
        changed += _write(folder / CONFIG, language_server_settings(FOLDER))
    return changed


def _outdated(target: Path, wanted: Collection[str]) -> Iterator[Path]:
    """Yield definition files of modules that are gone; only files that were made here."""
    for path in target.glob("core_*.lua"):
        if path.name not in wanted and path.read_text("utf-8", "replace").startswith(HEADER):
            yield path


def _write(path: Path, text: str) -> list[Path]:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if path.read_text("utf-8") == text:
            return []
    # An editor reads these at any time; it must never see half a file.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return [path]


class StubWriter:
    """Keeps the definition files of a jobs folder up to date while an engine runs."""

    def __init__(
        self,
        folder: Path,
        modules: Mapping[str, CoreModule],
        jobs: Collection[str],
        *,
        added: Collection[Setting] = (),
        wanted: bool | None,
    ) -> None:
        """Make a writer.

        Args:
            added: settings of job files that plugins add.
            jobs: the jobs as the engine knows them, read at each writing.
            wanted: whether to write; None where the folder is there already.
        """
        self._folder = folder
        self._modules = modules
        self._jobs = jobs
        self._added = added
        self._wanted = wanted
        self._writing: asyncio.Task[None] | None = None
        self._again = False

    def take(self, event: Event) -> None:
        """Write anew if an event tells of other jobs."""
        if isinstance(event, JobsReloaded):
            self.refresh()

    def refresh(self) -> None:
        """Write in the background what is not up to date."""
        if self._writing is not None and not self._writing.done():
            self._again = True
            return
        self._writing = asyncio.create_task(self._write())

    async def stop(self) -> None:
        """Wait until nothing is being written."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        self._again = True
        while self._again:
            self._again = False
            names = tuple(self._jobs)
            try:
                await asyncio.to_thread(self._write_if_wanted, names)
            except OSError as error:
                logger.warning("the files for editors were not written: %s", error)

    def _write_if_wanted(self, jobs: Sequence[str]) -> None:
        wanted = (self._folder / FOLDER).is_dir() if self._wanted is None else self._wanted
        if wanted:
            write_stubs(self._folder, self._modules, jobs, self._added)
