"""Commands about times to come: next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from engine.cli.listing import AsJson
from engine.cli.moments import read_moment, read_zone
from engine.cli.output import print_json, print_table
from engine.cli.place import place_of
from engine.views import ComingView

COLUMNS = ("DUE", "JOB", "NOTES")


def next(
    context: typer.Context,
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Only this job.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", help="At most so many.", min=1, max=10_000)] = 20,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Begin there, such as 2026-12-24T18:00.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option("--tz", metavar="ZONE", help="Show and read times there, not in your zone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the next due times, in order.

    Beside each stands what is unusual about it.
    """
    chosen = read_zone(zone)
    start = read_moment(since, chosen, datetime.now(UTC)) if since else None
    with place_of(context).client() as client:
        views = client.coming(job=job, since=start, count=count)
    if as_json:
        print_json(views)
    else:
        print_table(COLUMNS, (_row(view, chosen) for view in views), empty="nothing is due by a schedule")


def _row(view: ComingView, zone: ZoneInfo | None) -> tuple[str, ...]:
    return (view.due.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z"), view.job, "; ".join(view.notes))
