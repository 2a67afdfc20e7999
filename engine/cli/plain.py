"""Command lines that are read without typer: what stands in front, and two commands as programs ask for them.

To load typer and every command takes longer than to ask an engine for its status or its jobs. Only the
plainest of those command lines are read here; all others, wrong ones among them, are typer's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from engine.cli.overview import list_jobs, show_status
from engine.cli.place import Place

#: The variable that names the home folder where the command line does not.
HOME = "MOONTIDE_HOME"

_COMMANDS: Mapping[str, Callable[[Place, bool], None]] = {"status": show_status, "jobs": list_jobs}


def plain_command(arguments: Sequence[str], environment: Mapping[str, str]) -> Callable[[], None] | None:
    """Return what carries a command line out; None if it is not for here.

    Args:
        arguments: with the home folder in front, as `with_home_first` gives them.
    """
    match arguments:
        case ["--home" | "-H", home, *rest] if home:
            pass
        case rest:
            home = environment.get(HOME) or "."
    match rest:
        case [name, *options] if name in _COMMANDS and options in ([], ["--json"]):
            return partial(_COMMANDS[name], Place(Path(home).absolute()), bool(options))
    return None


def with_home_first(arguments: list[str]) -> list[str]:
    """Return the arguments with `--home DIR` in front of the command, wherever it was given."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument in ("--home", "-H"):
            front += [argument, *_taken(remaining)]
        elif argument.startswith("--home="):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


def _taken(remaining: Iterator[str]) -> list[str]:
    return [value for value in [next(remaining, None)] if value is not None]
