"""Commands about schedules given at run time: schedule add, list, remove."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from engine.cli.acting import parsed_json
from engine.cli.listing import AsJson, JobArgument
from engine.cli.output import print_json, print_table
from engine.cli.place import place_of
from engine.cli.words import clean, local_time, one_line
from engine.views import ScheduleView

COLUMNS = ("ID", "JOB", "STATUS", "SCHEDULE", "DUE", "USER", "TAG", "RUN", "REASON")
WIDTHS = ((120, tuple(range(9))), (90, (0, 1, 2, 3, 4, 5, 8)), (60, (0, 1, 2, 4, 5)), (0, (0, 1, 2)))

TIMES = "--cron, --every, --by, --at or --in"


def add(
    context: typer.Context,
    job: JobArgument,
    cron: Annotated[
        list[str] | None, typer.Option("--cron", metavar="LINE", help="A cron line; may be given again.")
    ] = None,
    every: Annotated[str | None, typer.Option(metavar="TIME", help="An interval, such as 2m.")] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="KIND=VALUE", help='A plugin\'s kind of schedule: monthly="last friday 17:00".'),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="One run then, such as 2026-12-24T18:00.")
    ] = None,
    delay: Annotated[
        str | None, typer.Option("--in", metavar="TIME", help="One run after this time, such as 10m.")
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--tz", metavar="ZONE", help="Where its times count; the job's zone without."),
    ] = None,
    starts: Annotated[str | None, typer.Option(metavar="TIME", help="It is not due before.")] = None,
    expires: Annotated[str | None, typer.Option(metavar="TIME", help="It is not due from then on.")] = None,
    user_id: Annotated[int, typer.Option("--user-id", "-u", help="What the job finds in run.user_id.")] = 0,
    data: Annotated[str | None, typer.Option(metavar="JSON", help="What the job finds in run.data.")] = None,
    tag: Annotated[str, typer.Option(help="Tells it from others of the same job and user.")] = "",
    retries: Annotated[
        str | None, typer.Option(metavar="N", help='How often a failed run is tried again, or "unlimited".')
    ] = None,
    retry_delay: Annotated[
        str | None, typer.Option("--retry-delay", metavar="TIME", help="How long to wait before a retry.")
    ] = None,
    remove_after: Annotated[
        str | None,
        typer.Option("--remove-after", metavar="TIME", help="Remove its COMPLETE runs after this time."),
    ] = None,
    run_skipped: Annotated[
        bool | None,
        typer.Option(
            "--run-skipped/--no-run-skipped",
            help="Make up once for times that passed, or not; as the job says.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give a job a schedule beside its file's own, or one run at a time to come.

    It is kept in the database, and replaces the one there is for the same job, user and tag.
    """
    _check_times([*([cron] if cron else []), every, by, at, delay])
    if (at or delay) and (starts or expires or run_skipped is not None):
        raise typer.BadParameter("--starts, --expires and --run-skipped go with --cron, --every or --by")
    terms: dict[str, Any] = {
        "timezone": zone,
        "user_id": user_id,
        "data": parsed_json(data, "--data"),
        "tag": tag,
        "retries": int(retries) if retries and retries.isdecimal() else retries,
        "retry_delay": retry_delay,
        "remove_after": remove_after,
    }
    with place_of(context).client() as client:
        if cron or every or by:
            lines = cron[0] if cron and len(cron) == 1 else cron or None
            rule: dict[str, Any] = {"every": every, "starts": starts, "expires": expires, "kinds": _kind(by)}
            view = client.schedule_cron_job(job, lines, run_skipped=run_skipped, **rule, **terms)
        else:
            view = client.schedule_job(job, due=at, delay=delay, **terms)
    if as_json:
        print_json(view)
    else:
        print(_sentence(view))


def _check_times(given: list[Any]) -> None:
    count = sum(1 for one in given if one)
    if count == 0:
        raise typer.BadParameter(f"say when: {TIMES}")
    if count > 1:
        raise typer.BadParameter(f"give only one of {TIMES}")


def _kind(text: str | None) -> dict[str, Any]:
    """Return a plugin's kind of schedule with its value, which is JSON or plain text."""
    if text is None:
        return {}
    name, equals, value = text.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise typer.BadParameter('--by takes a kind and its value: --by monthly="last friday 17:00"')
    try:
        return {name.strip(): json.loads(value)}
    except ValueError:
        return {name.strip(): value.strip()}


def _sentence(view: ScheduleView) -> str:
    if view.repeats:
        return clean(f"schedule {view.id} of {view.job}: {view.schedule}, next {local_time(view.due)}")
    return clean(
        f"schedule {view.id} of {view.job}: run {view.last_run_id} is planned for {local_time(view.due)}"
    )


def list_schedules(
    context: typer.Context,
    job: Annotated[str | None, typer.Option("--job", "-j", metavar="JOB", help="Only this job's.")] = None,
    user_id: Annotated[int | None, typer.Option("--user-id", "-u", help="Only those for this user.")] = None,
    ended: Annotated[
        bool, typer.Option("--all", "-a", help="Also those that are over or were cancelled.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List the schedules given at run time, the newest first."""
    with place_of(context).client() as client:
        views = client.schedules(job=job, user_id=user_id, ended=ended, limit=limit)
    if as_json:
        print_json(views)
    else:
        print_table(COLUMNS, map(_row, views), empty="no schedules are given", widths=WIDTHS)


def _row(view: ScheduleView) -> tuple[str, ...]:
    why = view.reason or (f"{view.skipped} skipped: {view.note}" if view.note else "")
    return (
        str(view.id),
        view.job,
        view.status,
        view.schedule,
        local_time(view.due),
        str(view.user_id),
        view.tag or "-",
        str(view.last_run_id or "-"),
        one_line(why),
    )


def remove(
    context: typer.Context,
    schedule_id: Annotated[int, typer.Argument(metavar="ID", help="The schedule's number.", min=1)],
    as_json: AsJson = False,
) -> None:
    """Take a schedule back, with its runs that are still to come; one under way goes on."""
    with place_of(context).client() as client:
        view = client.remove_schedule(schedule_id)
    if as_json:
        print_json(view)
    else:
        print(f"schedule {view.id} of {clean(view.job)} is {view.status}")
