"""The command that shows what operators did: audit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from engine.cli.listing import AsJson
from engine.cli.moments import EXAMPLES, read_moment
from engine.cli.output import print_json, print_table
from engine.cli.place import place_of
from engine.cli.words import local_time, one_line
from engine.views import AuditView

COLUMNS = ("ID", "AT", "WHO", "FROM", "ACTION", "TARGET", "BEFORE", "AFTER")
WIDTHS = ((120, tuple(range(8))), (80, (1, 2, 4, 5, 7)), (0, (2, 4, 5)))


def audit(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(metavar="TIME", help=f"Only from then on: {EXAMPLES}.")] = None,
    who: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only actions of this one: anna@web1, or anna.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what was done to this job, run or group.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1, max=10_000)] = 50,
    before: Annotated[int | None, typer.Option(help="Only ids below this one, to page.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """List what operators did, the newest first."""
    moment = read_moment(since, None, datetime.now(UTC)) if since else None
    with place_of(context).client() as client:
        views = client.audit.entries(since=moment, who=who, target=target, before=before, limit=limit)
    if as_json:
        print_json(views)
    else:
        print_table(COLUMNS, map(_row, views), empty="nobody did anything yet", widths=WIDTHS)


def _row(view: AuditView) -> tuple[str, ...]:
    return (
        str(view.id),
        local_time(view.at),
        view.actor,
        view.origin,
        view.action,
        view.target,
        _words(view.before),
        _words(view.after),
    )


def _words(value: Any) -> str:
    if value is None or isinstance(value, str):
        return one_line(value)
    import msgspec

    return msgspec.json.encode(value).decode()
