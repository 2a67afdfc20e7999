"""The engines and workers that share the database: which are there, what each runs, what is wrong."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from engine.events import EngineStateChanged
from engine.runfilter import RunFilter
from engine.states import RunStatus
from engine.views import NodeView, RunView
from tui.deeds import nodedeeds
from tui.facts.nodelists import clock_cell, node_columns, runs_of, state_of
from tui.look import words
from tui.page import Context
from tui.screens.listpage import ListPage, pair
from tui.widgets.bars import Hint, Part, ProseLine
from tui.widgets.grid import Column, Grid

#: Nodes tell of themselves so often, and no event says when they do.
BEAT_SECONDS = 5.0

RUNS_FETCHED = 200
#: Runs of a node that are named one by one.
RUNS_SHOWN = 8


class NodesScreen(ListPage[NodeView]):
    """All nodes, live."""

    HEEDS = (EngineStateChanged,)
    EMPTY = "No engine and no worker is listed."
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Its run", "screen.open"),
        ("d", "Drain", "screen.drain"),
        ("f", "Forget", "screen.forget"),
        ("y", "Copy", "screen.copy"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open the run that it carries out for the longest"),
        Binding("d", "drain", "Drain: let it take nothing new, and end"),
        Binding("f", "forget", "Forget one that is gone or silent"),
        Binding("y", "copy", "Copy the name"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._runs: list[RunView] = []

    def on_mount(self) -> None:
        """Look again at each heartbeat. Textual calls this besides the one of all lists."""
        self.set_interval(BEAT_SECONDS, self._look_again)

    def _look_again(self) -> None:
        self._stale = True

    def headline(self) -> Sequence[Part]:
        """Say what is listed."""
        return [(" nodes", "name"), ("   engines and workers that share the database", "faint")]

    def columns(self) -> Sequence[Column[NodeView]]:
        """Return the columns."""
        return node_columns()

    def key(self, row: NodeView) -> Hashable:
        """Know nodes by what they are: several may have one name."""
        return row.kind, row.name, row.host, row.home

    async def fetch(self, before: NodeView | None) -> list[NodeView]:
        """Ask the engine; all nodes come at once, and what they carry out."""
        if before is not None:
            return []
        nodes = await self.client.nodes.nodes()
        going = RunFilter(statuses=(RunStatus.RUNNING,))
        busy = any(node.running for node in nodes)
        self._runs = await self.client.history.find(going, limit=RUNS_FETCHED) if busy else []
        return nodes

    def about(self, row: NodeView) -> Iterable[ProseLine]:
        """Say all of a node, what is wrong first."""
        yield [(words.clean(row.name), "head"), ("  ", ""), state_of(row)]
        for warning in row.warnings:
            yield [(f"! {words.clean(warning)}", "bad")]
        if row.drain and row.state not in ("draining", "gone"):
            yield [("it was asked to take nothing new and to end", "late")]
        yield pair("runs", f"{row.running} of {row.slots or 'any number'} at once")
        runs = runs_of(row, self._runs)
        for run in runs[:RUNS_SHOWN]:
            since = words.ago(run.started, self.board.now())
            yield [
                (f"{'':<10}", ""),
                (f"{run.id} ", "faint"),
                (words.clean(run.job), "busy"),
                (f"  {since}", "faint"),
            ]
        if len(runs) > RUNS_SHOWN:
            yield pair("", f"and {len(runs) - RUNS_SHOWN} more")
        yield pair("tags", ", ".join(row.tags) or "—")
        yield pair("heard of", f"{words.span(row.silent_seconds)} ago; its clock {clock_cell(row)[0]}")
        yield pair("version", row.version)
        yield pair("process", f"{row.pid} on {row.host}, since {words.moment(row.started)}")
        yield pair("home", row.home)
        if row.addresses:
            yield pair("reached at", ", ".join(row.addresses))

    @on(Grid.Opened)
    def action_open(self) -> None:
        """Open the run that the node under the cursor carries out for the longest."""
        if (node := self.grid.cursor_row) is None:
            return
        if runs := runs_of(node, self._runs):
            self.open_run(runs[0].id)
        else:
            self.warn(f"{node.name} carries nothing out now")

    def action_copy(self) -> None:
        """Copy the name of the node under the cursor."""
        if (node := self.grid.cursor_row) is not None:
            self.copy(node.name, node.name)

    @work
    async def action_drain(self) -> None:
        """Let the node under the cursor take nothing new, and end."""
        if (node := self.grid.cursor_row) is not None:
            await nodedeeds.drain(self, node, self.grid.rows)
            self.fetch_anew()

    @work
    async def action_forget(self) -> None:
        """Take the node under the cursor off the list."""
        if (node := self.grid.cursor_row) is not None:
            await nodedeeds.forget(self, node)
            self.fetch_anew()
