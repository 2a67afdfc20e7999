"""The command about what jobs keep from one run to the next: state."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.acting import parsed_json
from engine.cli.listing import AsJson, JobArgument
from engine.cli.output import print_fields, print_json
from engine.cli.place import place_of
from engine.cli.words import local_time

if TYPE_CHECKING:
    from engine.views import StateView


class StateAction(StrEnum):
    """What to do with a job's state."""

    SHOW = "show"
    SET = "set"
    CLEAR = "clear"


def state(
    context: typer.Context,
    action: Annotated[StateAction, typer.Argument(help="Look at it, or change it.")],
    job: JobArgument,
    value: Annotated[str | None, typer.Argument(metavar="[JSON]", help="What `set` lets it keep.")] = None,
    persistent: Annotated[
        bool, typer.Option("--persistent", help="What job.persist keeps, not what job.save_state does.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show or change what a job keeps from one run to the next."""
    if (value is not None) is not (action is StateAction.SET):
        reason = "a value belongs to `set`, which needs one, such as '{\"page\": 3}'"
        raise typer.BadParameter(reason, param_hint="JSON")
    with place_of(context).client() as client:
        match action:
            case StateAction.SHOW:
                view = client.states.show(job, lasting=persistent)
            case StateAction.SET:
                view = client.states.set(job, parsed_json(value, "JSON"), lasting=persistent)
            case StateAction.CLEAR:
                view = client.states.clear(job, lasting=persistent)
    if as_json:
        print_json(view)
    else:
        _print(view)


def _print(view: StateView) -> None:
    import msgspec

    if view.updated is None:
        print(f"{view.job} keeps nothing")
        return
    by = "an operator" if view.run_id is None else f"run {view.run_id}"
    print_fields(
        [("kept", f"{local_time(view.updated)} by {by}"), ("value", msgspec.json.encode(view.value).decode())]
    )
