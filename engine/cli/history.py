"""Commands about runs of the past: runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.listing import AsJson, require_job, time_shower
from engine.cli.output import print_fields, print_json, print_table
from engine.cli.place import place_of
from engine.cli.words import duration, one_line
from engine.quantities import parse_duration
from engine.runfilter import RunFilter, is_pattern
from engine.states import RunStatus, Trigger
from engine.views import RunView

if TYPE_CHECKING:
    from engine.api.client import Client

RUN_COLUMNS = ("RUN", "JOB", "STATUS", "RETURNED", "TRIGGER", "ATTEMPT", "DUE", "DURATION", "ERROR")
RUN_WIDTHS = ((110, tuple(range(9))), (70, (0, 1, 2, 6, 7, 8)), (50, (0, 1, 2, 8)), (0, (0, 1, 2)))


def runs(
    context: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="JOB", help="Only runs of this job, or of those like 'admin/*'.")
    ] = None,
    status: Annotated[
        list[RunStatus] | None,
        typer.Option(help="Only runs that stand there; may be given again.", case_sensitive=False),
    ] = None,
    trigger: Annotated[
        list[Trigger] | None,
        typer.Option(help="Only runs made for this reason; may be given again.", case_sensitive=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only runs made since, such as 2026-12-24T18:00 or -24h."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only runs made before that time.")
    ] = None,
    tag: Annotated[
        str | None, typer.Option(help="Only runs of jobs with this tag: its name, its value or name=value.")
    ] = None,
    user: Annotated[int | None, typer.Option(help="Only runs for the user with this number.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Only ended runs with these words in their error or log.")
    ] = None,
    counts: Annotated[bool, typer.Option("--counts", help="Print how many, by status.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1, max=10_000)] = 50,
    before: Annotated[int | None, typer.Option(help="Only runs before this one, to page.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first.

    Those that are planned for a time to come are listed with --status planned alone.
    """
    now = datetime.now(UTC)
    wanted = RunFilter(
        job=job,
        statuses=tuple(status or ()),
        triggers=tuple(trigger or ()),
        since=moment("--since", since, now),
        until=moment("--until", until, now),
        tag=tag,
        user_id=user,
        text=text,
    )
    with place_of(context).client() as client:
        if counts:
            _print_counts(client, wanted, as_json)
        else:
            _print_runs(client, wanted, before, limit, as_json)


def moment(option: str, text: str | None, now: datetime) -> datetime | None:
    """Return a time as a person gives it: ISO 8601, in the own zone without an offset, or so long ago.

    Args:
        option: where it was given, for the message.
        text: such as `2026-12-24T18:00` or `-24h`.
    """
    if text is None:
        return None
    try:
        if text.startswith("-"):
            return now - timedelta(seconds=parse_duration(text[1:]))
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{option}: {text!r} is no time; write one such as 2026-12-24T18:00, or -24h"
        ) from error


def _print_runs(client: Client, wanted: RunFilter, before: int | None, limit: int, as_json: bool) -> None:
    views = client.history.find(wanted, before=before, limit=limit)
    if not views:
        _require_job(client, wanted)
    if as_json:
        print_json(views)
    else:
        empty = "no runs yet" if wanted == RunFilter() else "no such runs"
        print_table(RUN_COLUMNS, map(_run_row, views), empty=empty, widths=RUN_WIDTHS)


def _print_counts(client: Client, wanted: RunFilter, as_json: bool) -> None:
    counts = client.history.counts(wanted)
    if not counts:
        _require_job(client, wanted)
    if as_json:
        print_json(counts)
    else:
        print_fields(
            [*((name, str(count)) for name, count in counts.items()), ("in all", str(sum(counts.values())))]
        )


def _require_job(client: Client, wanted: RunFilter) -> None:
    if wanted.job and not is_pattern(wanted.job):
        require_job(client, wanted.job)


def _run_row(view: RunView) -> tuple[str, ...]:
    """Return a run's cells under `RUN_COLUMNS`."""
    show_time = time_shower()
    return (
        str(view.id),
        view.job,
        view.status,
        view.returned or "-",
        view.trigger,
        str(view.attempt),
        show_time(view.due),
        duration(view.duration_ms),
        one_line(view.error),
    )
