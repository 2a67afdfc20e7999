"""The `web` command."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.place import place_of
from engine.errors import SettingsError


def web(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 for any.", min=0, max=65535)] = 7425,
) -> None:
    """Show the dashboard in a browser, until Ctrl-C.

    It needs the extra: pip install 'moontide[web]'.
    """
    import asyncio

    try:
        from engine.cli.webserver import serve
    except ImportError as error:
        raise SettingsError(
            f"what `moontide web` takes is not installed ({error}): pip install 'moontide[web]'"
        ) from error
    try:
        asyncio.run(serve(dashboard_command(place_of(context).home), port, _announce))
    except OSError as error:
        raise SettingsError(f"cannot listen on port {port}: {error}; choose another with --port") from error


def dashboard_command(home: Path) -> str:
    """Return the command that shows the dashboard of a home folder, as a shell takes it."""
    program = "import sys; from engine.cli import main; sys.argv[0] = 'moontide'; main()"
    return shlex.join([sys.executable, "-P", "-c", program, "--home", str(home), "tui"])


def _announce(address: str) -> None:
    print(f"open {address}\nCtrl-C ends it; who has this address may do all that you may", flush=True)
