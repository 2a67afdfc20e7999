"""The command about alerts: alerts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from engine.cli.listing import AsJson, require_job
from engine.cli.output import print_json, print_table
from engine.cli.place import Place, place_of
from engine.cli.words import duration, local_time, one_line
from engine.views import AlertView

COLUMNS = ("ALERT", "JOB", "KIND", "SINCE", "LASTED", "SEEN", "TOLD", "ACKNOWLEDGED", "REASON")
WIDTHS = ((120, tuple(range(9))), (80, (0, 1, 2, 3, 4, 8)), (0, (0, 1, 2, 8)))


class AlertAction(StrEnum):
    """What to do with an alert."""

    ACK = "ack"


def alerts(
    context: typer.Context,
    action: Annotated[
        AlertAction | None, typer.Argument(metavar="ack", help="Say that you know of an alert.")
    ] = None,
    alert: Annotated[int | None, typer.Argument(metavar="ALERT", help="Which one.", min=1)] = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Also those that are over.")] = False,
    job: Annotated[str | None, typer.Option("--job", metavar="JOB", help="Only alerts of this job.")] = None,
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="With ack: what others should know.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1, max=10_000)] = 50,
    before: Annotated[int | None, typer.Option(help="Only alerts before this one, to page.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """List what is wrong with jobs, or acknowledge it."""
    if action is not None:
        _ack(place_of(context), alert, note, as_json)
        return
    if note:
        raise typer.BadParameter("it belongs to `moontide alerts ack ALERT`", param_hint="--note")
    with place_of(context).client() as client:
        views = client.alerts.list(job=job, ended=everything, before=before, limit=limit)
        if job and not views:
            require_job(client, job)
    if as_json:
        print_json(views)
    else:
        print_table(COLUMNS, map(_row, views), empty="no alerts", widths=WIDTHS)


def _ack(place: Place, alert: int | None, note: str, as_json: bool) -> None:
    if alert is None:
        raise typer.BadParameter("name the alert, such as `moontide alerts ack 12`", param_hint="ALERT")
    with place.client() as client:
        view = client.alerts.ack(alert, note=note)
    if as_json:
        print_json(view)
    else:
        print(f"alert {view.id} ({view.job} {view.kind}) is acknowledged by {view.acked_by}")


def _row(view: AlertView) -> tuple[str, ...]:
    lasted = "goes on" if view.lasted_seconds is None else duration(view.lasted_seconds * 1000)
    acked = f"{view.acked_by}: {view.note}" if view.note else view.acked_by or "-"
    return (
        str(view.id),
        view.job,
        view.kind,
        local_time(view.since),
        lasted,
        str(view.count),
        view.trouble or local_time(view.told),
        acked,
        one_line(view.reason),
    )
