"""Reading a run's log: all of it, or line by line while the run writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from engine.api.events import Lagged
from engine.errors import EngineUnreachable
from engine.events import RunFinished, RunLogged
from engine.states import FINAL
from engine.views import LogLineView, RunView

if TYPE_CHECKING:
    from engine.api.syncclient import Client

PAGE_LINES = 1000


def read_log(client: Client, run_id: int, *, after: int = 0) -> Iterator[LogLineView]:
    """Yield the lines that a run has written so far, in pages, so that a long log costs no memory.

    Args:
        after: only lines with a number above this one.
    """
    while page := client.log(run_id, after=after, limit=PAGE_LINES):
        yield from page
        after = page[-1].number


def follow(client: Client, run_id: int, show: Callable[[LogLineView], None]) -> RunView:
    """Show a run's lines, those to come included, and return the run once it has ended.

    Raises:
        EngineUnreachable: the engine stopped before the run ended.
    """
    try:
        return _until_ended(client, run_id, _Tail(client, run_id, show))
    except EngineUnreachable as error:
        raise EngineUnreachable(f"the engine stopped before run {run_id} ended") from error


def _until_ended(client: Client, run_id: int, tail: _Tail) -> RunView:
    with client.events(run=run_id) as events:
        if (run := tail.catch_up()) is not None:
            return run
        for event in events:
            if isinstance(event, RunLogged) and tail.take(event):
                continue
            # The run ended, or lines or events were dropped on the way: ask for what is missing.
            is_news = isinstance(event, RunFinished | RunLogged | Lagged)
            if is_news and (run := tail.catch_up()) is not None:
                return run
    raise EngineUnreachable("the stream of events ended")


class _Tail:
    """Shows each line once, whether it came with an event or had to be asked for."""

    def __init__(self, client: Client, run_id: int, show: Callable[[LogLineView], None]) -> None:
        self._client = client
        self._run_id = run_id
        self._show = show
        self._last = 0

    def take(self, event: RunLogged) -> bool:
        """Show the lines of an event; return False if lines before them are missing."""
        for number, level, text in event.lines:
            if number > self._last + 1:
                return False
            if number == self._last + 1:
                self._put(LogLineView(number, event.at, level, text))
        return True

    def catch_up(self) -> RunView | None:
        """Show all lines written so far, and return the run if it has ended."""
        run = self._client.run(self._run_id)
        for line in read_log(self._client, self._run_id, after=self._last):
            self._put(line)
        return run if run.status in FINAL else None

    def _put(self, line: LogLineView) -> None:
        self._last = line.number
        self._show(line)
