"""Command lines that are read without typer: what stands in front, and three commands as mostly given.

To load typer and every command takes longer than to ask an engine for its status or its jobs, and a third of
the time until the dashboard shows its first list. Only the plainest of those command lines are read here; all
others, wrong ones among them, are typer's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from engine.cli.overview import list_jobs, show_status
from engine.cli.place import Place
from engine.cli.showing import show_dashboard

#: The variable that names the home folder where the command line does not.
HOME = "MOONTIDE_HOME"


#: By the words after the home folder; each returns the exit code, or nothing for 0.
_COMMANDS: Mapping[tuple[str, ...], Callable[[Place], int | None]] = {
    ("status",): partial(show_status, as_json=False),
    ("status", "--json"): partial(show_status, as_json=True),
    ("jobs",): partial(list_jobs, as_json=False),
    ("jobs", "--json"): partial(list_jobs, as_json=True),
    ("tui",): show_dashboard,
}


def plain_command(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> Callable[[], int | None] | None:
    """Return what carries a command line out, and gives its exit code; None if it is not for here.

    Args:
        arguments: with the home folder in front, as `with_home_first` gives them.
    """
    match arguments:
        case ["--home" | "-H", home, *rest] if home:
            pass
        case rest:
            home = environment.get(HOME) or "."
    command = _COMMANDS.get(tuple(rest))
    return None if command is None else partial(command, Place(Path(home).absolute()))


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
