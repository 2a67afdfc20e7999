"""Commands that plugins add to the command line; plugins are loaded only where one of theirs may be meant."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer
from typer.core import TyperGroup

from engine.cli.output import complain
from engine.cli.words import clean
from engine.errors import PluginError, SettingsError

if TYPE_CHECKING:
    from engine.extensions.plugins import Plugins
    from engine.extensions.surfaces import PluginCommand


#: Typer has its own copy of click in some versions, and names this class in none.
_UsageError: Any = typer.BadParameter.__base__


class Commands(TyperGroup):
    """The command line's own commands, and behind them those of plugins."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the options in front of the command."""
        with _legible_refusals():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Find the command, read its arguments and carry it out."""
        with _legible_refusals():
            return super().invoke(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name; plugins are asked for a name that is none of the own ones."""
        return super().get_command(ctx, cmd_name) or self._added(ctx, cmd_name)

    def _added(self, ctx: Any, name: str) -> Any:
        plugins = self._plugins(ctx)
        found = plugins.commands.get(name)
        if found is None:
            for problem in plugins.problems():
                complain(problem)
            return None
        return _command_of(*found)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the own commands, and those of plugins with what they say of themselves."""
        super().format_commands(ctx, formatter)
        try:
            added = self._plugins(ctx).commands
        except SettingsError:
            # The help must be there for those who mend the settings.
            return
        if added:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, command.help) for name, (_, command) in sorted(added.items())])

    def _plugins(self, ctx: Any) -> Plugins:
        return strangers(Path(ctx.params.get("home") or Path()), taken_commands=self.commands)


def own_commands(context: typer.Context) -> frozenset[str]:
    """Return the names of the command line's own commands.

    Args:
        context: that of the command line itself, above its commands.
    """
    return frozenset(cast(Commands, context.command).commands)


@contextmanager
def _legible_refusals() -> Iterator[None]:
    """Tell wrong usage with control characters made visible: arguments must not steer the terminal."""
    try:
        yield
    except _UsageError as error:
        error.message = clean(error.message)
        raise


def strangers(home: Path, *, taken_commands: Collection[str]) -> Plugins:
    """Return the plugins that do not come with the engine; of its own ones none has commands.

    Raises:
        SettingsError: moontide.toml cannot be read.
    """
    from engine.extensions.plugins import find_plugins, load_plugins
    from engine.settings import load_settings

    settings = load_settings(home)
    found = [one for one in find_plugins(settings.plugins_folder(home)) if not one.built_in]
    # Their problems are told in one line each, not with tracebacks.
    logging.getLogger("moontide.plugins").addHandler(logging.NullHandler())
    disable = {name for name in settings.plugins.disable if name in {one.name for one in found}}
    return load_plugins(disable, candidates=found, taken_commands=taken_commands)


def _command_of(plugin: str, command: PluginCommand) -> Any:
    try:
        made = typer.main.get_group(command.make())
    # Also one that calls sys.exit() while it is made must say whose it is.
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"the command {command.name} of plugin {plugin} cannot be used: {type(error).__name__}: {error}"
        ) from error
    made.name = command.name
    return made
