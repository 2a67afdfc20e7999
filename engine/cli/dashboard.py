"""The `tui` command. The engine knows the dashboard by an entry point only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, cast

import typer

from engine.cli.place import place_of
from engine.errors import SettingsError

GROUP = "moontide.dashboard"


def tui(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="A remote engine, such as https://nas.local:7424.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file that holds the token for it.", dir_okay=False)
    ] = None,
) -> None:
    """Open the dashboard of a running engine.

    Closing it stops nothing.
    """
    from engine.api.address import socket_in

    token = None if token_file is None else _read_token(token_file)
    raise typer.Exit(load_dashboard()(url or socket_in(place_of(context).home), token=token))


def show_beside_engine(home: Path) -> int:
    """Show the dashboard of the engine that `moontide up` works with in another process.

    Leaving it stops that engine, so that it asks first.
    """
    from engine.api.address import socket_in

    return load_dashboard()(socket_in(home), owns_engine=True)


def load_dashboard() -> Callable[..., int]:
    """Return the function that shows the dashboard.

    Raises:
        SettingsError: no installed package has one.
    """
    from importlib.metadata import entry_points

    found = next(iter(entry_points(group=GROUP)), None)
    if found is None:
        raise SettingsError("no dashboard is installed; `pip install moontide` brings one")
    return cast(Callable[..., int], found.load())


def has_dashboard() -> bool:
    """Return whether an installed package has a dashboard, without loading it."""
    from importlib.metadata import entry_points

    return bool(entry_points(group=GROUP))


def _read_token(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the token from {path}: {error}") from error
