"""The command about the engines and workers that share a database: nodes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from engine.cli.listing import AsJson
from engine.cli.output import print_json, print_table
from engine.cli.place import place_of
from engine.cli.words import local_time
from engine.views import NodeView

COLUMNS = ("NODE", "KIND", "STATE", "RUNNING", "VERSION", "TAGS", "HEARD OF", "WARNING")
WIDTHS = ((120, tuple(range(8))), (80, (0, 1, 2, 3, 6, 7)), (0, (0, 2, 7)))


class NodeAction(StrEnum):
    """What to do with a node."""

    LIST = "list"
    DRAIN = "drain"
    FORGET = "forget"


def nodes(
    context: typer.Context,
    action: Annotated[NodeAction, typer.Argument(help="Look at all, or change one.")] = NodeAction.LIST,
    name: Annotated[
        str | None, typer.Argument(metavar="[NODE]", help="Which one to drain or forget.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List engines and workers, or let one end.

    `drain` lets a node take nothing new, come to the end of what it does, and end with code 0. `forget` is
    for one that is gone.
    """
    if (name is not None) is (action is NodeAction.LIST):
        raise typer.BadParameter("`drain` and `forget` need one, `list` none", param_hint="NODE")
    with place_of(context).client() as client:
        match action:
            case NodeAction.LIST:
                views = client.nodes.nodes()
            case NodeAction.DRAIN:
                views = client.nodes.drain(name or "")
            case NodeAction.FORGET:
                client.nodes.forget(name or "")
                views = client.nodes.nodes()
    if as_json:
        print_json(views)
    else:
        print_table(COLUMNS, map(_row, views), empty="no engine and no worker", widths=WIDTHS)


def _row(view: NodeView) -> tuple[str, ...]:
    slots = "" if view.slots is None else f" of {view.slots}"
    return (
        view.name,
        view.kind,
        f"{view.state}, to end" if view.drain and view.state not in ("draining", "gone") else view.state,
        f"{view.running}{slots}",
        view.version,
        ", ".join(view.tags),
        local_time(view.heartbeat),
        "; ".join(view.warnings),
    )
