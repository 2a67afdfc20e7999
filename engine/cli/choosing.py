"""Which jobs a command means, where it may mean many, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from engine.bulk import WILDCARDS, BulkAction, Chosen
from engine.cli.output import print_json, print_table
from engine.cli.place import Place
from engine.cli.words import one_line

JobsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[JOB]...", help="Jobs, by name or pattern such as 'shop/*'.")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="NAME[=VALUE]", help="Only jobs with this tag.")
]
InGroup = Annotated[str | None, typer.Option("--group", metavar="NAME", help="Only jobs of this group.")]
WithStatus = Annotated[
    str | None, typer.Option("--status", metavar="STATUS", help="Only jobs with this status.")
]

COLUMNS = ("TARGET", "DONE", "REASON")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a command line means."""

    names: tuple[str, ...]
    chosen: Chosen

    @property
    def one(self) -> str | None:
        """The one job that is meant by its plain name, None if there may be more or fewer."""
        if len(self.names) != 1 or self.chosen.narrowed or not WILDCARDS.isdisjoint(self.names[0]):
            return None
        return self.names[0]


def choice(names: list[str] | None, tags: list[str] | None, group: str | None, status: str | None) -> Choice:
    """Return what names and options mean.

    Raises:
        typer.BadParameter: they say nothing.
    """
    pairs = {name: value for name, _, value in (tag.partition("=") for tag in tags or [])}
    given = tuple(names or ())
    if not given and not pairs and group is None and status is None:
        raise typer.BadParameter("say which: names, patterns, --tag, --group or --status", param_hint="JOB")
    return Choice(given, Chosen(given, (), pairs, group, status))


def act(
    place: Place,
    action: BulkAction,
    chosen: Chosen,
    as_json: bool,
    *,
    data: Any = None,
    until: datetime | None = None,
    note: str = "",
) -> None:
    """Do something to many in one request, and print what became of each; leave with 1 if one failed."""
    with place.client() as client:
        views = client.bulk.act(action, chosen, data=data, until=until, note=note)
    if as_json:
        print_json(views)
    else:
        rows = ((view.target, "yes" if view.ok else "no", one_line(view.message)) for view in views)
        print_table(COLUMNS, rows, empty="no job is meant by that")
    if not all(view.ok for view in views):
        raise typer.Exit(1)
