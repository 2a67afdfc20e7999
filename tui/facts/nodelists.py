"""How engines and workers stand in their list."""

from __future__ import annotations

from collections.abc import Iterable

from engine.states import NodeKind, NodeState
from engine.views import NodeView, RunView
from tui.look import words
from tui.widgets.grid import Cell, Column

#: What a node is called that is listed and was not heard of for too long.
SILENT = "silent"

_LOOKS: dict[str, Cell] = {
    NodeState.LEADING: ("●", "ok"),
    NodeState.STANDBY: ("☾", "calm"),
    NodeState.WORKING: ("●", "ok"),
    NodeState.DRAINING: ("▽", "late"),
    NodeState.GONE: ("†", "faint"),
    SILENT: ("✗", "bad"),
}


def is_there(node: NodeView) -> bool:
    """Return whether a node is neither gone nor silent."""
    return node.state not in (SILENT, NodeState.GONE)


def state_of(node: NodeView) -> Cell:
    """Return how a node stands, with its icon."""
    if node.drain and is_there(node):
        return f"{_LOOKS[NodeState.DRAINING][0]} draining", "late"
    icon, shade = _LOOKS.get(node.state, ("?", "calm"))
    return f"{icon} {words.clean(node.state)}", shade


def clock_cell(node: NodeView) -> Cell:
    """Return how far a node's clock is off, as far as that is certain."""
    if abs(node.clock_ahead) < 0.05:
        return "right", "faint"
    return f"{node.clock_ahead:+.1f}s", "late"


def runs_of(node: NodeView, runs: Iterable[RunView]) -> list[RunView]:
    """Return which runs under way a node carries out, the one that began first in front.

    Runs of a worker have its name; those without one are the engine's own, and only one engine has any.
    """
    if node.kind == NodeKind.WORKER:
        own = [run for run in runs if run.worker == node.name]
    else:
        own = [run for run in runs if run.worker is None and node.running]
    return sorted(own, key=lambda run: run.started or run.due)


def node_columns() -> tuple[Column[NodeView], ...]:
    """Return the columns of the list of nodes."""
    return (
        Column("STATE", 11, 1, state_of),
        Column("NODE", 18, 0, _name_cell),
        Column("KIND", 6, 4, lambda node: (words.clean(node.kind), "calm")),
        Column("RUNS", 9, 2, _runs_cell, right=True),
        Column("VERSION", 9, 5, lambda node: (words.clean(node.version), "calm")),
        Column("CLOCK", 7, 7, clock_cell, right=True),
        Column(
            "HEARD OF", 8, 3, lambda node: (f"{words.span(node.silent_seconds)} ago", "faint"), right=True
        ),
        Column("TAGS", 14, 6, lambda node: (words.clean(", ".join(node.tags)), "faint")),
    )


def _name_cell(node: NodeView) -> Cell:
    name = words.clean(node.name)
    return (f"! {name}", "bad") if node.warnings else (name, "")


def _runs_cell(node: NodeView) -> Cell:
    return f"{node.running} of {node.slots or '∞'}", "busy" if node.running else "calm"
