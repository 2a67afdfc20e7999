"""How commands show the dashboard. It is loaded without typer."""

from __future__ import annotations

from pathlib import Path

from engine.api.address import socket_in
from engine.cli.place import Place
from engine.dashboards import load_dashboard


def show_dashboard(place: Place) -> int:
    """Show the dashboard of the engine that works in a home folder, and return the exit code."""
    return load_dashboard()(socket_in(place.home))


def show_beside_engine(home: Path) -> int:
    """Show the dashboard of the engine that `moontide up` works with in another process.

    Leaving it stops that engine, so that it asks first.
    """
    return load_dashboard()(socket_in(home), owns_engine=True)
