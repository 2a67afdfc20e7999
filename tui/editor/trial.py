"""The log of a run beside the code that it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from engine.states import FINAL
from engine.views import LogLineView, RunView
from tui.facts.runlists import status_of, took
from tui.look import words
from tui.model.board import Board
from tui.widgets.bars import Part, TitleBar
from tui.widgets.tail import Tail


class Trial(Vertical):
    """One run: how it stands, and its log as it grows."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board
        self._run: RunView | None = None

    def compose(self) -> ComposeResult:
        """Hold the line about the run, the log, and what the run left."""
        yield TitleBar(self._title)
        yield Tail(empty="Nothing was written yet.")
        yield TitleBar(self._left)

    @property
    def tail(self) -> Tail:
        """The log."""
        return self.query_one(Tail)

    @property
    def run_id(self) -> int | None:
        """The run that goes on; None before the first and after its end."""
        return self._run.id if self._run is not None and self._run.status not in FINAL else None

    def begin(self, run: RunView) -> None:
        """Show a run from its start."""
        self._run = run
        self.tail.clear()
        self.display = True
        self.tick()

    def take(self, run: RunView, lines: Sequence[LogLineView]) -> None:
        """Show how the run stands now, with further lines of its log."""
        self._run = run
        self.tail.add(lines)
        if run.status in FINAL:
            self.tail.say_empty("The run wrote nothing to its log.")
        self.tick()

    def tick(self) -> None:
        """Bring the lines about the run up to date."""
        for bar in self.query(TitleBar):
            bar.tick()

    def _title(self) -> list[Part]:
        if (run := self._run) is None:
            return []
        parts: list[Part] = [
            (f" run {run.id}  ", "name"),
            status_of(run),
            (f"  {took(run, self._board)}", "faint"),
        ]
        if run.status in FINAL:
            return [*parts, (f"  returned {words.clean(run.returned)}" if run.returned else "", "faint")]
        return [*parts, ("  f4 cancels", "faint")]

    def _left(self) -> list[Part]:
        if (run := self._run) is None:
            return []
        if run.error:
            return [(f" ✗ {words.first_line(run.error)}", "bad")]
        if run.wait:
            return [(f" {words.clean(run.wait)}", "busy")]
        result = json.dumps(run.result, ensure_ascii=False) if run.result is not None else ""
        return [(f" result {words.clean(result)}" if result else "", "faint")]
