"""Commands that change settings of jobs while the engine runs: set, unset."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from engine.cli.acting import parsed_json
from engine.cli.listing import AsJson, JobArgument, setting_fields
from engine.cli.output import print_fields, print_json
from engine.cli.place import place_of
from engine.cli.words import local_time
from engine.jobs.overrides import OPERATOR
from engine.views import JobView


def set(
    context: typer.Context,
    job: JobArgument,
    pairs: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME VALUE...", help="A setting and its value; '' for none."),
    ] = None,
    values: Annotated[
        str | None, typer.Option("--values", metavar="JSON", help="The same as one JSON object.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change settings of a job, until they are unset.

    The values count instead of what the job's file says, also after a reload or restart.
    """
    typed = _pairs(pairs or [])
    with place_of(context).client() as client:
        view = client.overrides.set(job, _object(values), typed)
    _print(view, as_json)


def unset(
    context: typer.Context,
    job: JobArgument,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Settings; all that were set without.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let what the job's file says count again."""
    with place_of(context).client() as client:
        view = client.overrides.unset(job, names or [])
    _print(view, as_json)


def _pairs(words: list[str]) -> dict[str, str]:
    if len(words) % 2:
        reason = f"{words[-1]} has no value; give a name and a value for each setting, such as every 5m"
        raise typer.BadParameter(reason, param_hint="NAME VALUE")
    return dict(zip(words[::2], words[1::2], strict=True))


def _object(text: str | None) -> dict[str, Any]:
    value = {} if text is None else parsed_json(text, "--values")
    if not isinstance(value, dict):
        raise typer.BadParameter('it must be an object such as \'{"every": "5m"}\'', param_hint="--values")
    return value


def _print(view: JobView, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    changed = {name for name, origin in view.origins.items() if origin == OPERATOR}
    print_fields(
        [
            ("job", view.name),
            ("status", view.status),
            ("schedule", view.schedule),
            ("next run", local_time(view.next_run)),
            *setting_fields(view, changed),
        ]
    )
