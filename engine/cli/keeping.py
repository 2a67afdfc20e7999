"""Commands that keep a home folder safe: backup, restore, move-database."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.listing import AsJson
from engine.cli.output import print_json, print_table
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


Named = Annotated[
    str, typer.Argument(metavar="URL|FILE", help="A database URL, or the path of an SQLite file.")
]


def move_database(context: typer.Context, source: Named, target: Named, as_json: AsJson = False) -> None:
    """Copy a database from SQLite to PostgreSQL, or back.

    The target is empty, and no engine may work on either. What arrived is counted and summed up before it is
    committed; the first database stays as it is.
    """
    from engine.store import moving

    progress = _Progress()
    report = moving.move_database(
        moving.database_named(source), moving.database_named(target), progress=progress.tell
    )
    if as_json:
        print_json(report)
        return
    rows = [(table.name, str(table.rows), table.checksum) for table in report.tables]
    print_table(("TABLE", "ROWS", "CHECKSUM"), rows, empty="")
    print(f"{report.rows} rows are in {report.target} now; set `database` in moontide.toml to it")


class _Progress:
    """Tells a person how far a move is, once a second."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 1

    def tell(self, table: str, rows: int, total: int) -> None:
        now = time.monotonic()
        if sys.stderr.isatty() and now >= self._next:
            self._next = now + 1
            print(f"{table}: {rows} of {total} rows", file=sys.stderr)
