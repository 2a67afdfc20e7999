"""Commands about runs of the past: runs, source, diff."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.listing import AsJson, require_job
from engine.cli.output import print_fields, print_json, print_styled, print_table
from engine.cli.overview import time_shower
from engine.cli.place import place_of
from engine.cli.words import clean, duration, one_line
from engine.errors import Refused
from engine.runfilter import RunFilter, is_pattern
from engine.states import RunStatus, Trigger
from engine.times.quantities import parse_duration
from engine.views import RunSourceView, RunView

if TYPE_CHECKING:
    from engine.api.syncclient import Client

RUN_COLUMNS = ("RUN", "JOB", "STATUS", "RETURNED", "TRIGGER", "ATTEMPT", "DUE", "DURATION", "NOTE")
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
        one_line(view.error) or view.wait,
    )


RunArgument = Annotated[int, typer.Argument(metavar="RUN", help="A run's number.", min=1)]


def source(
    context: typer.Context,
    run: RunArgument,
    module: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A library module that it was given: lib.money."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the code that a run ran."""
    with place_of(context).client() as client:
        view = client.history.source(run)
    if as_json:
        print_json(view)
    else:
        print(clean(_text_of(view, module)).removesuffix("\n"))


def _text_of(view: RunSourceView, module: str | None) -> str:
    if module is not None and module not in view.modules:
        there = ", ".join(view.modules) or "none"
        raise Refused(f"run {view.run} was given no module {module}; there are {there}")
    text = view.text if module is None else view.modules[module].text
    if text is None:
        raise Refused(
            f"no source is kept of run {view.run}: it has not started, or its file could not be read"
        )
    return text


def diff(
    context: typer.Context,
    run: RunArgument,
    other: Annotated[
        int | None, typer.Argument(metavar="[RUN]", help="Another run; the files of now without it.", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what changed between the code of two runs.

    Without the second run the files of now are meant. Library modules that the run was given are compared as
    well.
    """
    with place_of(context).client() as client:
        view = client.history.diff(run, other)
    if as_json:
        print_json(view)
    elif not view.files:
        print(f"{view.before} and {view.after}: the same code")
    for one in () if as_json else view.files:
        _print_diff(one.diff)


def _print_diff(text: str) -> None:
    for line in clean(text).removesuffix("\n").split("\n"):
        print_styled("", line, DIFF_COLOURS.get(line[:1], ""))


#: How lines of a diff look, by how they begin.
DIFF_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
