"""Commands about what keeps jobs from running: group, pause, resume."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from engine.bulk import BulkAction, Chosen
from engine.cli.choosing import JobsArgument, Tags, WithStatus, act, choice
from engine.cli.listing import AsJson
from engine.cli.output import print_fields, print_json, print_table
from engine.cli.place import place_of
from engine.cli.times import moment_to_come
from engine.cli.words import clean, local_time
from engine.views import GroupView, HoldView

GROUP_COLUMNS = ("GROUP", "STATUS", "JOBS", "LIMIT", "SINCE", "BY", "NOTE")

Note = Annotated[str, typer.Option(metavar="TEXT", help="Why, for those who wonder.")]
GroupToHold = Annotated[str | None, typer.Option("--group", metavar="NAME", help="All jobs of this group.")]
WholeEngine = Annotated[bool, typer.Option("--engine", help="All jobs there are.")]


class GroupAction(StrEnum):
    """What may be done with groups."""

    LIST = "list"
    SHOW = "show"
    ENABLE = "enable"
    DISABLE = "disable"


def group(
    context: typer.Context,
    action: Annotated[GroupAction, typer.Argument(help="What to do.")],
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The group's name.")] = None,
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """List groups of jobs, show one, or switch one on or off.

    No job of a disabled group runs, neither on its schedule nor by hand. Those under way go on.
    """
    with place_of(context).client() as client:
        if action is GroupAction.LIST:
            _print_groups(client.holds.groups(), as_json)
            return
        wanted = _named(action, name)
        match action:
            case GroupAction.ENABLE:
                view = client.holds.enable_group(wanted, note=note)
            case GroupAction.DISABLE:
                view = client.holds.disable_group(wanted, note=note)
            case _:
                view = client.holds.group(wanted)
    if as_json:
        print_json(view)
    elif action is GroupAction.SHOW:
        print_fields(_group_fields(view))
    else:
        print(f"group {clean(view.name)} of {_count(view)} is {_state(view)}")


def _named(action: GroupAction, name: str | None) -> str:
    if name is None:
        raise typer.BadParameter(f"say which one: moontide group {action.value} NAME", param_hint="NAME")
    return name


def _print_groups(views: list[GroupView], as_json: bool) -> None:
    if as_json:
        print_json(views)
    else:
        empty = 'no groups yet; a job file names its own: groups = { "night" }'
        print_table(GROUP_COLUMNS, map(_group_row, views), empty=empty)


def _group_row(view: GroupView) -> tuple[str, ...]:
    limit = "-" if view.limit is None else str(view.limit)
    note = view.note or view.paused
    return view.name, _state(view), str(len(view.jobs)), limit, local_time(view.since), view.actor, note


def _group_fields(view: GroupView) -> list[tuple[str, str]]:
    optional = [
        ("by", view.actor),
        ("since", local_time(view.since) if view.since else ""),
        ("note", view.note),
        ("paused", view.paused),
        ("runs at once", "" if view.limit is None else f"at most {view.limit}"),
        ("jobs", "\n".join(view.jobs)),
    ]
    return [
        ("group", view.name),
        ("status", _state(view)),
        *((name, text) for name, text in optional if text),
    ]


def _state(view: GroupView) -> str:
    if not view.enabled:
        return "disabled"
    return "paused" if view.paused else "enabled"


def _count(view: GroupView) -> str:
    return f"{len(view.jobs)} {'job' if len(view.jobs) == 1 else 'jobs'}"


def pause(
    context: typer.Context,
    jobs: JobsArgument = None,
    group: GroupToHold = None,
    engine: WholeEngine = False,
    tags: Tags = None,
    status: WithStatus = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End by itself then, such as 18:00 or 2026-12-24T18:00."),
    ] = None,
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="End by itself after so long, such as 2h.")
    ] = None,
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Let nothing of jobs, a group or the engine start.

    Runs under way go on. Due times are passed over; runs that somebody asks for wait for the end of the
    pause.
    """
    end = moment_to_come(until, lasting)
    held = _target(jobs, tags, status, group, engine)
    if isinstance(held, Chosen):
        act(place_of(context), BulkAction.PAUSE, held, as_json, until=end, note=note)
        return
    scope, target = held
    with place_of(context).client() as client:
        view = client.holds.pause(scope, target, until=end, note=note)
    if as_json:
        print_json(view)
    else:
        end_words = f"until {local_time(view.until)}" if view.until else "until it is resumed"
        print(f"{_what(view)} is paused {end_words}")


def resume(
    context: typer.Context,
    jobs: JobsArgument = None,
    group: GroupToHold = None,
    engine: WholeEngine = False,
    tags: Tags = None,
    status: WithStatus = None,
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """End a pause; what waited may start."""
    held = _target(jobs, tags, status, group, engine)
    if isinstance(held, Chosen):
        act(place_of(context), BulkAction.RESUME, held, as_json, note=note)
        return
    scope, target = held
    with place_of(context).client() as client:
        view = client.holds.resume(scope, target, note=note)
    if as_json:
        print_json(view)
    else:
        print(f"{_what(view)} is not paused any more")


def _target(
    jobs: list[str] | None, tags: list[str] | None, status: str | None, group: str | None, engine: bool
) -> tuple[str, str] | Chosen:
    """Return scope and name of the one thing that is meant, or which jobs are."""
    if sum((bool(jobs or tags or status), group is not None, engine)) != 1:
        raise typer.BadParameter("say what: jobs, --group NAME or --engine", param_hint="JOB")
    if engine:
        return "engine", ""
    if group is not None:
        return "group", group
    meant = choice(jobs, tags, None, status)
    return meant.chosen if meant.one is None else ("job", meant.one)


def _what(view: HoldView) -> str:
    return "the engine" if view.scope == "engine" else f"{view.scope} {clean(view.target)}"
