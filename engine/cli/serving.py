"""Commands that run the engine itself, up and serve, and the one that works for it: worker."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.output import on_terminal
from engine.cli.place import Place, place_of
from engine.collector import resting

if TYPE_CHECKING:
    from engine.settings import Settings

Disable = Annotated[
    list[str] | None,
    typer.Option("--disable", metavar="NAME", help="Leave this plugin out; may be given again."),
]


def up(
    context: typer.Context,
    disable: Disable = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="A text view that takes no keys, instead of the dashboard.")
    ] = False,
) -> None:
    """Start the engine, and open the dashboard.

    Leaving the dashboard stops the engine. Saved job files are reloaded at once, unless the settings say
    otherwise. Without a terminal, each event is one line.
    """
    from engine.dashboards import has_dashboard

    place, settings = _prepared(context, disable)
    with resting():
        from engine.cli import hosting
    if not (on_terminal() and sys.stdin.isatty()):
        hosting.print_events(place, settings, watch=True)
    elif plain or not has_dashboard() or os.environ.get("TERM", "dumb") == "dumb":
        hosting.show_live(place, settings)
    else:
        hosting.show_dashboard(place, settings)


def serve(context: typer.Context, disable: Disable = None) -> None:
    """Start the engine as a service, until SIGTERM.

    Each event is one line on standard output. While another engine leads on the same database of a server,
    this one stands by, and takes the lead when that one is gone.
    """
    place, settings = _prepared(context, disable)
    with resting():
        from engine.cli import hosting

    hosting.print_events(place, settings, watch=False, patience_seconds=None)


def worker(
    context: typer.Context,
    tags: Annotated[
        str, typer.Option("--tags", metavar="TAGS", help="What it offers to jobs' runs_on, such as gpu,eu.")
    ] = "",
    slots: Annotated[
        int | None, typer.Option("--slots", metavar="N", help="Runs at once; pool.size without.", min=1)
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What it is called; the machine's name without.")
    ] = "",
    disable: Disable = None,
) -> None:
    """Carry out runs of the engines on a database.

    It is the database of this home; SIGTERM ends the worker. It takes the runs of jobs that
    ask for nothing, or for what it offers. Its moontide.toml has the same database and executor as theirs.
    """
    place, settings = _prepared(context, disable)
    with resting():
        from engine.cli import working

    working.carry_out(place, settings, tags=tags, slots=slots, name=name)


def _prepared(context: typer.Context, disable: list[str] | None) -> tuple[Place, Settings]:
    """Return where to work and with what settings: wrong ones are told before all that is heavy is loaded."""
    with resting():
        place = place_of(context)
        return place, place.settings().without_plugins(disable or [])
