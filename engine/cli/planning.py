"""Commands about times to come: next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from engine.cli.listing import AsJson
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
    chosen = _zone(zone)
    with place_of(context).client() as client:
        views = client.coming(job=job, since=_moment(since, chosen), count=count)
    if as_json:
        print_json(views)
    else:
        print_table(COLUMNS, (_row(view, chosen) for view in views), empty="nothing is due by a schedule")


def _row(view: ComingView, zone: ZoneInfo | None) -> tuple[str, ...]:
    return (view.due.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z"), view.job, "; ".join(view.notes))


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise typer.BadParameter(
            f"there is no time zone {name!r}; write one such as Europe/Berlin"
        ) from error


def _moment(text: str | None, zone: ZoneInfo | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time; write one such as 2026-12-24T18:00") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone) if zone else moment.astimezone()
    return moment.astimezone(UTC)
