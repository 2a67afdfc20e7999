"""The `tui` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.place import place_of
from engine.dashboards import load_dashboard
from engine.errors import SettingsError
from engine.roles import Role


def tui(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="A remote engine, such as https://nas.local:7424.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file that holds the token for it.", dir_okay=False)
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Certificates of the authorities to trust, instead of this machine's.",
            dir_okay=False,
        ),
    ] = None,
    role: Annotated[
        Role | None, typer.Option(help="Be no more than this, whatever the socket or the token allows.")
    ] = None,
) -> None:
    """Open the dashboard of a running engine.

    Closing it stops nothing.
    """
    from engine.api.address import check_url, socket_in

    if url is not None:
        check_url(url)
    token = None if token_file is None else _read_token(token_file)
    place = url or socket_in(place_of(context).home)
    raise typer.Exit(load_dashboard()(place, token=token, ca_file=ca_file, role=role))


def _read_token(path: Path) -> str:
    from engine.api.address import check_token

    try:
        token = path.read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"cannot read the token from {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"cannot read the token from {path}: it is not UTF-8 text") from error
    try:
        check_token(token)
    except SettingsError as error:
        raise SettingsError(f"cannot read the token from {path}: {error}") from error
    return token
