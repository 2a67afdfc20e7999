"""Commands that change something: run, cancel, activate, deactivate, delete."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.bulk import BulkAction
from engine.cli.choosing import InGroup, JobsArgument, Tags, WithStatus, act, choice
from engine.cli.listing import AsJson, JobArgument, print_line
from engine.cli.output import complain, print_json, print_styled
from engine.cli.place import Place, place_of
from engine.cli.words import clean, colour, ending, icon, one_line
from engine.states import RunStatus

if TYPE_CHECKING:
    from engine.run import Outcome
    from engine.views import RunView


def run(
    context: typer.Context,
    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="JOB...|FILE.lua", help="Jobs, by name or pattern, or a file to run once."),
    ] = None,
    data: Annotated[str | None, typer.Option(metavar="JSON", help="What the job finds in run.data.")] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Show the log and wait for the end.")] = False,
    tags: Tags = None,
    group: InGroup = None,
    status: WithStatus = None,
    as_json: AsJson = False,
) -> None:
    """Run a job now, or many, or a Lua file without an engine.

    A file runs once in a sandbox of its own, and the command waits for its end. Exit code 1 if a run
    that was waited for did not end COMPLETE.
    """
    value = parsed_json(data, "--data")
    place = place_of(context)
    meant = choice(jobs, tags, group, status)
    job = meant.one
    if job is not None and job.endswith(".lua") and Path(job).is_file():
        _run_file(place, Path(job), value)
    elif wait:
        _run_and_wait(place, _only(job), value)
    elif job is None or as_json:
        act(place, BulkAction.RUN, meant.chosen, as_json, data=value)
    else:
        _run_job(place, job, value)


def _only(job: str | None) -> str:
    if job is None:
        raise typer.BadParameter("it can wait for one job only", param_hint="--wait")
    return job


def parsed_json(data: str | None, option: str) -> Any:
    """Return what the text given as an option or argument holds; None without one."""
    if data is None:
        return None
    import msgspec

    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        reason = f"it is not JSON ({error}); write for example '{{\"shop\": 3}}'"
        raise typer.BadParameter(reason, param_hint=option) from error


def _run_job(place: Place, job: str, data: Any) -> None:
    with place.client() as client:
        view = client.run_job(job, data=data)
    line = f", {view.wait}" if view.wait else ""
    print(f"run {view.id} of {view.job} is {view.status}{line}; `moontide log {view.id} --follow` shows it")


def _run_and_wait(place: Place, job: str, data: Any) -> None:
    from engine.cli.follow import follow

    with place.client() as client:
        started = client.run_job(job, data=data)
        try:
            view = follow(client, started.id, print_line)
        except KeyboardInterrupt:
            complain(f"run {started.id} goes on; `moontide cancel {started.id}` ends it")
            raise typer.Exit(1) from None
    _report(f"run {view.id} of {view.job}", view, view.duration_ms)


def _run_file(place: Place, path: Path, data: Any) -> None:
    import asyncio

    from engine.offline import run_file

    outcome = asyncio.run(
        run_file(path, data=data, settings=place.settings(), home=place.home, on_log=print_line)
    )
    _report(str(path), outcome, outcome.duration_seconds * 1000)


def _report(what: str, end: RunView | Outcome, milliseconds: float | None) -> None:
    """Print how a run ended, and leave with 1 if that was not well."""
    sentence = ending(end.status, end.returned, milliseconds)
    print_styled(f"{clean(what)} ", f"{icon(end.status)} {sentence}", colour(end.status))
    for note in (end.result_note, end.error):
        if note:
            print(clean(note.rstrip()), file=sys.stderr)
    if end.result is not None:
        print_json(end.result)
    if end.status != RunStatus.COMPLETE:
        raise typer.Exit(1)


def cancel(
    context: typer.Context,
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN|JOB...", help="Runs' numbers, or jobs for all their runs."),
    ] = None,
    tags: Tags = None,
    group: InGroup = None,
    status: WithStatus = None,
    now: Annotated[bool, typer.Option("--now", help="Leave one run no time to end by itself.")] = False,
    as_json: AsJson = False,
) -> None:
    """End runs that are planned, wait or go on.

    A job means all its runs that have not ended. A run whose job listens (job.stopping, core.sleep) gets a
    moment to come to its end by itself.
    """
    place = place_of(context)
    meant = choice(what, tags, group, status)
    runs = [int(one) for one in meant.names if one.isascii() and one.isdigit() and int(one)]
    if meant.one is not None and runs and not as_json:
        with place.client() as client:
            view = client.cancel(runs[0], now=now)
        print(f"run {view.id} of {view.job} is {view.status}")
        return
    if now:
        raise typer.BadParameter("it goes with the number of one run", param_hint="--now")
    names = tuple(one for one in meant.names if not (one.isascii() and one.isdigit()))
    if len(names) + len(runs) < len(meant.names):
        raise typer.BadParameter("the numbers of runs begin with 1", param_hint="RUN")
    act(place, BulkAction.CANCEL, replace(meant.chosen, names=names, runs=tuple(runs)), as_json)


def activate(
    context: typer.Context,
    jobs: JobsArgument = None,
    tags: Tags = None,
    group: InGroup = None,
    status: WithStatus = None,
    as_json: AsJson = False,
) -> None:
    """Switch jobs on.

    A job that became INACTIVE runs again after a reload.
    """
    place = place_of(context)
    meant = choice(jobs, tags, group, status)
    if meant.one is None or as_json:
        act(place, BulkAction.ACTIVATE, meant.chosen, as_json)
        return
    with place.client() as client:
        view = client.activate(meant.one)
    print(f"{view.name} is active, status {view.status}" + _because(view.reason))


def deactivate(
    context: typer.Context,
    jobs: JobsArgument = None,
    tags: Tags = None,
    group: InGroup = None,
    status: WithStatus = None,
    as_json: AsJson = False,
) -> None:
    """Switch jobs off; their runs under way go on."""
    place = place_of(context)
    meant = choice(jobs, tags, group, status)
    if meant.one is None or as_json:
        act(place, BulkAction.DEACTIVATE, meant.chosen, as_json)
        return
    with place.client() as client:
        view = client.deactivate(meant.one)
    print(f"{view.name} is not active any more, status {view.status}" + _because(view.reason))


def _because(reason: str) -> str:
    return f" ({clean(one_line(reason))})" if reason else ""


def delete(
    context: typer.Context,
    job: JobArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a job's file; its runs stay on record."""
    with place_of(context).client() as client:
        view = client.job(job)
        if not yes:
            _ask(view.path)
        client.delete_job(job)
    print(f"{view.name} is deleted")


def _ask(path: str) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            "there is no terminal to ask on; say --yes if you mean it", param_hint="--yes"
        )
    if not typer.confirm(f"Delete {clean(path)}?"):
        complain("nothing was deleted")
        raise typer.Exit(1)
