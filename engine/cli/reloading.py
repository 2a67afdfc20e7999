"""The command that reads the jobs folder again, or says what that would change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import typer

from engine.cli.listing import AsJson
from engine.cli.output import print_fields, print_json
from engine.cli.place import place_of
from engine.cli.words import local_time, one_line
from engine.views import PlannedChangeView, ReloadPlanView, ReloadView


def reload(
    context: typer.Context,
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="Only this job.")] = None,
    override: Annotated[
        bool, typer.Option("--override", help="Take what the files say, not what operators changed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what a reload would change; nothing changes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read the jobs folder again, and show what changed.

    What operators changed (set, activate, deactivate) stays in force, unless --override takes the files'.
    """
    view: ReloadView | ReloadPlanView
    with place_of(context).client() as client:
        if dry_run:
            view = client.reloads.plan(job, override=override)
        else:
            view = client.reload(job, override=override)
    if as_json:
        print_json(view)
    elif isinstance(view, ReloadPlanView):
        print_fields(_plan_fields(view))
    else:
        print_fields(_reload_fields(view))


def _reload_fields(view: ReloadView) -> list[tuple[str, str]]:
    lists = {
        "added": view.added,
        "changed": view.changed,
        "removed": view.removed,
        "revived": view.revived,
        "invalid": _invalid_lines(view.invalid),
        **_common(view),
    }
    return _fields(lists, view.unchanged)


def _plan_fields(view: ReloadPlanView) -> list[tuple[str, str]]:
    lists: dict[str, list[str]] = {"added": [], "changed": [], "removed": [], "revived": [], "other": []}
    for one in view.changes:
        if one.becomes in lists:
            lists[one.becomes].append(_planned_line(one))
    return _fields({**lists, "invalid": _invalid_lines(view.invalid), **_common(view)}, view.unchanged)


def _planned_line(one: PlannedChangeView) -> str:
    parts = [f"settings {', '.join(one.settings)}"] if one.settings else []
    if one.was != one.status and one.was and one.status:
        parts.append(f"{one.was} to {one.status}")
    if one.next_was != one.next_run:
        parts.append(f"next {_when(one.next_was)} to {_when(one.next_run)}")
    return f"{one.job}: {'; '.join(parts)}" if parts else one.job


def _when(due: datetime | None) -> str:
    return local_time(due) if due else "none"


def _invalid_lines(invalid: Mapping[str, str]) -> list[str]:
    return [f"{name}: {one_line(reason)}" for name, reason in invalid.items()]


def _common(view: ReloadView | ReloadPlanView) -> dict[str, list[str]]:
    return {
        "dropped": [f"{name}: {', '.join(settings)}" for name, settings in view.dropped.items()],
        "modules": [f"{name}, used by {', '.join(jobs)}" for name, jobs in view.modules.items()],
    }


def _fields(lists: Mapping[str, list[str]], unchanged: int) -> list[tuple[str, str]]:
    found = [(word, "\n".join(lines)) for word, lines in lists.items() if lines]
    return [*found, ("unchanged", str(unchanged))]
