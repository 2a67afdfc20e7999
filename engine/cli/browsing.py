"""The `web` command."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.place import place_of
from engine.errors import SettingsError
from engine.roles import Role


def web(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 for any.", min=0, max=65535)] = 7425,
    role: Annotated[
        Role, typer.Option(help="What the dashboard in the browser may do; see `Tokens and roles`.")
    ] = Role.ADMIN,
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
        command = dashboard_command(place_of(context).home, role)
        asyncio.run(serve(command, port, partial(_announce, role)))
    except OSError as error:
        raise SettingsError(f"cannot listen on port {port}: {error}; choose another with --port") from error


def dashboard_command(home: Path, role: Role) -> str:
    """Return the command that shows the dashboard of a home folder to a role, as a shell takes it."""
    program = "import sys; from engine.cli import main; sys.argv[0] = 'moontide'; main()"
    return shlex.join([sys.executable, "-P", "-c", program, "--home", str(home), "tui", "--role", role])


#: What each role may do, in words that go on from "who has this address".
_MAY = {
    Role.VIEWER: "may look and change nothing",
    Role.OPERATOR: "may decide when jobs run, and not what they are",
    Role.ADMIN: "may do all that you may",
}


def _announce(role: Role, address: str) -> None:
    print(f"open {address}\nCtrl-C ends it; who has this address {_MAY[role]}", flush=True)
