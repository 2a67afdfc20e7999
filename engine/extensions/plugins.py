"""Finding, checking and listing plugins.

Plugins are entry points of the group `moontide`, and single files of a folder that the settings name; the
engine's own come first, through the same door. A plugin that cannot be loaded, misspells a hook or raises
is put aside with its reason, and never stops the engine.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pluggy

from engine.errors import PluginError
from engine.extensions.hooks import PROJECT, HookSpecs
from engine.extensions.intake import INTAKES, Giver, Intake, NotUsed, Offers
from engine.extensions.surfaces import DashboardScreen
from engine.views import PluginView, ScreenView

logger = logging.getLogger("moontide.plugins")

T = TypeVar("T")

#: What a plugin's code may do when it is loaded or asked; not even sys.exit() may end the engine.
FAILURES = (Exception, SystemExit)

#: How a core module is called among what a plugin adds.
CORE = "core."

#: Where the names of one-file plugins are put among Python's modules.
FILES_PACKAGE = "moontide_plugins_dir"


class Entry(Protocol):
    """Where a plugin's code is: an entry point, or a file."""

    def load(self) -> Any:
        """Import the plugin and return it."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A plugin that is one Python file."""

    path: Path

    def load(self) -> Any:
        """Execute the file as a module of its own and return that."""
        name = f"{FILES_PACKAGE}.{self.path.stem}"
        spec = importlib.util.spec_from_file_location(name, self.path)
        if spec is None or spec.loader is None:
            raise PluginError(f"{self.path} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        # Its own classes look themselves up there, as those of dataclasses do.
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that was found, before it is loaded.

    Attributes:
        origin: the distribution that brings it, or the file that it is.
    """

    name: str
    version: str
    origin: str
    entry: Entry

    @property
    def built_in(self) -> bool:
        return self.origin == PROJECT

    @property
    def key(self) -> str:
        """What tells it from another plugin of the same name."""
        return f"{self.origin}/{self.name}"


@dataclass(slots=True)
class Plugins(Offers):
    """What was loaded, and a line about every plugin found.

    Attributes:
        views: a line about each plugin.
        remarks: what else is wrong, such as a name in `plugins.disable` that no plugin has.
    """

    views: list[PluginView] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Return a sentence for each plugin that did not load, and for what else is wrong."""
        failed = [f"plugin {view.name}: {view.reason}" for view in self.views if view.status == "failed"]
        return failed + self.remarks

    def absent(self) -> list[str]:
        """Return the names of plugins that are not loaded, for whatever reason."""
        return [view.name for view in self.views if view.status != "loaded"]

    def set_aside(self, module: str, reason: str) -> bool:
        """Mark the plugin of a core module as failed, unless it is the engine's own.

        Returns:
            whether the engine goes on without it.
        """
        for position, view in enumerate(self.views):
            if view.origin != PROJECT and view.status == "loaded" and module in view.core:
                self.views[position] = replace(view, status="failed", reason=reason)
                return True
        return any(view.status == "failed" and module in view.core for view in self.views)

    def put_aside(self, plugin: str, reason: str) -> None:
        """Mark a plugin as failed that was loaded, and whose part could not be made ready."""
        for position, view in enumerate(self.views):
            if view.name == plugin and view.status == "loaded":
                self.views[position] = replace(view, status="failed", reason=reason)
                return

    def remark(self, words: str) -> None:
        """Keep a sentence about something that is wrong and stops nothing."""
        logger.warning("%s", words)
        self.remarks.append(words)


def find_plugins(folder: Path | None = None) -> list[Candidate]:
    """Return the plugins of all installed distributions, the engine's own first, then by name.

    Args:
        folder: a folder of one-file plugins, which come last.
    """
    found = [_candidate(entry) for entry in entry_points(group=PROJECT)]
    unique = {candidate.key: candidate for candidate in found}
    installed = sorted(unique.values(), key=lambda c: (not c.built_in, c.name))
    return installed + ([] if folder is None else _files_of(folder))


def _candidate(entry: Any) -> Candidate:
    distribution = entry.dist
    return Candidate(
        name=entry.name,
        version=distribution.version if distribution else "",
        origin=distribution.name if distribution else "",
        entry=entry,
    )


def _files_of(folder: Path) -> list[Candidate]:
    paths = sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", ".")))
    return [Candidate(path.stem, "", str(path), FileEntry(path)) for path in paths]


def load_plugins(
    disable: Collection[str] = (),
    *,
    folder: Path | None = None,
    candidates: Iterable[Candidate] | None = None,
    taken_commands: Collection[str] = (),
) -> Plugins:
    """Load every plugin found and collect what they add.

    Args:
        disable: names of plugins to leave out.
        folder: a folder of one-file plugins.
        candidates: those to look at instead of the installed ones.
        taken_commands: names of the command line's own commands.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    plugins = Plugins(taken_commands=frozenset(taken_commands))
    for candidate in find_plugins(folder) if candidates is None else candidates:
        plugins.views.append(_load(manager, candidate, plugins, disable))
    _look_for_mistakes(plugins, disable, folder)
    return plugins


def _look_for_mistakes(plugins: Plugins, disable: Collection[str], folder: Path | None) -> None:
    unknown = set(disable) - {view.name for view in plugins.views}
    for name in sorted(unknown):
        plugins.remark(f"no plugin is called {name}, so it cannot be disabled; `moontide plugins` lists them")
    if folder is not None and not folder.is_dir():
        plugins.remark(f"plugins_dir: there is no folder {folder}")


def _load(
    manager: pluggy.PluginManager, candidate: Candidate, plugins: Plugins, disable: Collection[str]
) -> PluginView:
    view = PluginView(
        name=candidate.name,
        version=candidate.version,
        origin=candidate.origin,
        hooks=[],
        core=[],
        status="loaded",
        reason="",
    )
    if candidate.name in disable:
        return replace(view, status="disabled", reason="disabled by the settings or on the command line")
    try:
        plugin, hooks = _register(manager, candidate)
        answers = [
            (intake, value)
            for intake in INTAKES
            for value in _ask(manager, candidate, intake.hook, intake.kind)
        ]
    except FAILURES as error:
        logger.warning("plugin %s was put aside", candidate.name, exc_info=error)
        if manager.has_plugin(candidate.key):
            manager.unregister(name=candidate.key)
        return replace(view, status="failed", reason=f"{type(error).__name__}: {error}")
    version = view.version or str(getattr(plugin, "__version__", ""))
    module = "" if isinstance(candidate.entry, FileEntry) else getattr(candidate.entry, "module", "")
    giver = Giver(candidate.name, candidate.origin, candidate.built_in, module)
    return _take_in(replace(view, version=version, hooks=hooks), giver, plugins, answers)


def _take_in(
    view: PluginView, giver: Giver, plugins: Plugins, answers: Sequence[tuple[Intake, Any]]
) -> PluginView:
    adds: list[str] = []
    refused: list[str] = []
    screens: list[ScreenView] = []
    for intake, value in answers:
        try:
            adds.append(intake.take(plugins, giver, value))
        except NotUsed as reason:
            refused.append(str(reason))
            logger.warning("plugin %s: %s", view.name, reason)
            continue
        if isinstance(value, DashboardScreen):
            screens.append(ScreenView(value.title, value.key, value.path))
    core = [words.removeprefix(CORE) for words in adds if words.startswith(CORE)]
    return replace(view, core=core, adds=adds, screens=screens, reason="; ".join(refused))


def _register(manager: pluggy.PluginManager, candidate: Candidate) -> tuple[object, list[str]]:
    plugin: object = candidate.entry.load()
    manager.register(plugin, name=candidate.key)
    manager.check_pending()
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        raise PluginError("it implements no hook of Moontide (is @hookimpl missing?)")
    return plugin, sorted(caller.name for caller in callers)


def _ask(manager: pluggy.PluginManager, candidate: Candidate, hook: str, kind: type[T]) -> list[T]:
    """Return one plugin's answer to a hook, which must be a list of such values."""
    others = [plugin for other, plugin in manager.list_name_plugin() if other != candidate.key]
    caller = manager.subset_hook_caller(hook, remove_plugins=others)
    answers: list[T] = [value for answer in caller() for value in answer]
    for value in answers:
        if not isinstance(value, kind):
            raise PluginError(f"{hook} must return {kind.__name__} objects, not {type(value).__name__}")
    return answers
