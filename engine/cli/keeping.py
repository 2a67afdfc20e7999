"""Commands that keep a home folder safe: backup, restore."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.listing import AsJson
from engine.cli.output import print_json
from engine.cli.place import place_of


def backup(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The new file; moontide-DATE.tar.gz without it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole home folder into one file.

    Settings, jobs, files and the database. A running engine goes on; the file holds what was committed at
    one moment.
    """
    from engine.backup import write_backup

    place, now = place_of(context), datetime.now(UTC)
    target = file or Path(f"moontide-{now.astimezone():%Y-%m-%d-%H%M%S}.tar.gz")
    report = write_backup(place.home, place.settings(), target, now=now)
    if as_json:
        print_json(report)
    else:
        print(f"{report.path} holds {report.files} files and the database ({report.bytes} bytes)")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `moontide backup` wrote.")],
    as_json: AsJson = False,
) -> None:
    """Make the home folder anew from a backup.

    The folder must be empty, or not exist.
    """
    from engine.backup import restore_backup

    report = restore_backup(file, place_of(context).home)
    if as_json:
        print_json(report)
    else:
        print(f"{report.path} is as it was at {report.made}; start its engine with `moontide up`")
