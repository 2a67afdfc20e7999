"""Commands that show: status, jobs, show, log, plugins."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

from engine.calls.permissions import permission_words
from engine.cli.output import print_fields, print_json, print_styled, print_table
from engine.cli.overview import list_jobs, show_status
from engine.cli.place import place_of
from engine.cli.runfields import run_fields
from engine.cli.words import clean, colour, ending, local_time, one_line
from engine.errors import EngineUnreachable, Refused
from engine.run import LogLine
from engine.views import JobView, LogLineView, PluginView, RunView

if TYPE_CHECKING:
    from engine.api.syncclient import Client

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's name, such as admin/cleanup.")]


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show what the engine as a whole does."""
    show_status(place_of(context), as_json)


def jobs(context: typer.Context, as_json: AsJson = False) -> None:
    """List all jobs, and what they wait for."""
    list_jobs(place_of(context), as_json)


def show(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="JOB|RUN", help="A job, or a run's number.")],
    as_json: AsJson = False,
) -> None:
    """Show one job with its settings and last error, or one run."""
    with place_of(context).client() as client:
        view = client.run(int(which)) if is_run(which) else client.job(which)
    if as_json:
        print_json(view)
    else:
        print_fields(run_fields(view) if isinstance(view, RunView) else _job_fields(view))


def _job_fields(view: JobView) -> list[tuple[str, str]]:
    optional = [
        ("description", view.description),
        ("version", view.version),
        ("reason", "" if view.reason == view.schedule else view.reason),
        ("tags", ", ".join(f"{name}={value}" if value else name for name, value in view.tags.items())),
        ("groups", ", ".join(view.groups)),
        ("paused", view.paused if view.paused != view.reason else ""),
        ("error", (view.error or "").rstrip()),
    ]
    return [
        ("job", view.name),
        ("file", view.path),
        ("status", view.status),
        ("now", view.activity),
        ("active", "yes" if view.active else "no"),
        ("schedule", view.schedule),
        ("next run", local_time(view.next_run)),
        *([("given", f"{view.given} more; `moontide schedule list` shows them")] if view.given else []),
        ("last run", _last_run(view)),
        ("may use", permission_words(view.permissions, view.allow)),
        *(("alert", f"{one.id} {one.kind}: {one.reason}") for one in view.alerts),
        *((name, text) for name, text in optional if text),
        *setting_fields(view, {name for name, value in view.settings.items() if value is not None}),
    ]


def setting_fields(view: JobView, names: Collection[str]) -> list[tuple[str, str]]:
    """Return some settings of a job, each with its value and where that comes from."""
    wanted = [name for name in view.settings if name in names]
    # A job whose settings cannot be used has none; what an operator set is still to be seen.
    wanted += [name for name in view.origins if name in names and name not in view.settings]
    return [(f"  {name}", _setting(view, name)) for name in wanted]


def _setting(view: JobView, name: str) -> str:
    from engine.cli.settingwords import setting_words

    origin = view.origins.get(name, "default")
    said = f", file: {setting_words(name, view.replaced[name])}" if name in view.replaced else ""
    value = setting_words(name, view.settings[name]) if name in view.settings else "?"
    return f"{value} ({origin}{said})"


def _last_run(view: JobView) -> str:
    if view.last_run_id is None:
        return local_time(view.last_run)
    outcome = ending(view.last_status or "", view.last_returned, None)
    return f"{local_time(view.last_run)} run {view.last_run_id} {outcome}".rstrip()


def require_job(client: Client, name: str) -> None:
    """Raise `JobNotFound`, with the nearest names, if there is no such job."""
    client.job(name)


def log(
    context: typer.Context,
    which: Annotated[
        str, typer.Argument(metavar="RUN|JOB", help="A run's number, or a job for its last run.")
    ],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a run's log."""
    if follow and as_json:
        raise typer.BadParameter("--json prints one array, so it cannot go on with --follow")
    with place_of(context).client() as client:
        run_id = _run_of(client, which)
        if follow:
            _follow(client, run_id)
        else:
            _print_log(client, run_id, as_json)


def is_run(which: str) -> bool:
    """Return whether a word is a run's number, where it could be a job's name as well."""
    return which.isascii() and which.isdigit()


def _run_of(client: Client, which: str) -> int:
    if is_run(which):
        return int(which)
    if latest := client.runs(job=which, limit=1):
        return latest[0].id
    require_job(client, which)
    raise Refused(f"{which} has not run yet; `moontide run {which}` runs it now")


def _follow(client: Client, run_id: int) -> None:
    from engine.cli.follow import follow

    try:
        view = follow(client, run_id, print_line)
    except KeyboardInterrupt:
        return
    print(f"run {view.id} {ending(view.status, view.returned, view.duration_ms)}", file=sys.stderr)


def _print_log(client: Client, run_id: int, as_json: bool) -> None:
    from engine.cli.follow import read_log

    lines = read_log(client, run_id)
    if as_json:
        print_json(list(lines))
        return
    for line in lines:
        print_line(line)


def print_line(line: LogLine | LogLineView) -> None:
    """Print one line of a run's log with its time and level."""
    lead = f"{local_time(line.at)} {line.level:<5} "
    print_styled(lead, clean(line.text), colour(line.level))
    sys.stdout.flush()


def plugins(context: typer.Context, as_json: AsJson = False) -> None:
    """List plugins, and why some did not load.

    Without an engine, the plugins are loaded to see how that goes.
    """
    views = _plugin_views(context)
    if as_json:
        print_json(views)
    else:
        columns = ("PLUGIN", "VERSION", "FROM", "STATUS", "CORE", "HOOKS", "REASON")
        print_table(columns, map(_plugin_row, views), empty="no plugins are installed")


def _plugin_views(context: typer.Context) -> list[PluginView]:
    place = place_of(context)
    try:
        with place.client() as client:
            return client.plugins()
    except EngineUnreachable:
        from engine.extensions.plugins import load_plugins

        settings = place.settings()
        folder = settings.plugins_folder(place.home)
        return load_plugins(settings.plugins.disable, folder=folder, taken_commands=place.commands).views


def _plugin_row(view: PluginView) -> tuple[str, ...]:
    core, hooks = ", ".join(view.core) or "-", ", ".join(view.hooks) or "-"
    return view.name, view.version, view.origin, view.status, core, hooks, one_line(view.reason)
