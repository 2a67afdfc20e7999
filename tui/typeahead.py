"""Keys typed ahead: each goes to where the one before has led, however fast they come.

Textual hands a key to the widget that has the focus in the moment in which the key arrives, and finds the
action of a key only after it came up from there to the app. Over a slow line many keys arrive at once: those
behind `/beat⏎` would all be put into the filter, as Enter has not been acted upon yet. Here each key is
handed out when the one before has been dealt with: when what it led to is there to take the next, be it a
screen, a question or a file that is fetched.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from textual import events
from textual.app import App, ScreenStackError
from textual.errors import NoWidget
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker, get_current_worker

#: What comes from the person; it keeps its order.
INPUT: Final = (events.InputEvent, events.Paste)

#: What may lead to somewhere else. The mouse that only moves or scrolls does not.
LEADING: Final = (events.Key, events.Paste, events.MouseDown, events.MouseUp)

#: Groups of workers that go on beside what the person does. No key waits for them.
ASIDE: Final = frozenset({"added", "draft", "judge", "learn", "link", "theirs", "trial"})

#: A worker is looked at so often.
LOOK_SECONDS: Final = 0.005

#: So often what was posted to a widget is followed at least: an action may post what leads on.
ROUNDS: Final = 2


class TypeAhead(App[int]):
    """The part of the dashboard that hands out keys one after the other.

    Attributes:
        patience_seconds: after so long the next key is handed out whatever the one before is waiting for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patience_seconds = 2.0
        self._ahead: deque[events.Event] = deque()
        self._dealing: asyncio.Task[None] | None = None
        self._written: Widget | None = None
        self._asking: set[Worker[Any]] = set()

    @property
    def is_dealing(self) -> bool:
        """Whether a key is being dealt with, or waits for that."""
        return self._dealing is not None or bool(self._ahead)

    async def on_event(self, event: events.Event) -> None:
        """Let what the person does wait for its turn; all else is dealt with at once."""
        if not isinstance(event, INPUT) or event.is_forwarded:
            await super().on_event(event)
        else:
            self._ahead.append(event)
            await self._hand_out_next()

    async def push_screen_wait(self, screen: Screen[Any] | str, *, mode: str | None = None) -> Any:
        """Ask the person. Meanwhile no key waits for the worker that asks."""
        worker = get_current_worker()
        self._asking.add(worker)
        try:
            return await super().push_screen_wait(screen, mode=mode)
        finally:
            self._asking.discard(worker)

    async def on_unmount(self) -> None:
        """Hand out nothing more."""
        self.forget()

    def forget(self) -> None:
        """Drop the keys that wait for their turn; the app comes to its end."""
        self._ahead.clear()
        if self._dealing is not None:
            self._dealing.cancel()

    async def _hand_out_next(self) -> None:
        """Hand out what comes next, if its turn has come."""
        while self._ahead and (self._dealing is None or self._writes_on(self._ahead[0])):
            await self._hand_out(self._ahead.popleft())

    async def _hand_out(self, event: events.Event) -> None:
        pumps, busy, written = self._pumps_for(event), frozenset(self._busy()), self._written_by(event)
        await super().on_event(event)
        if isinstance(event, LEADING):
            if self._dealing is not None:
                self._dealing.cancel()
            self._written = written
            self._dealing = asyncio.create_task(self._see_through(pumps, busy))

    def _writes_on(self, event: events.Event) -> bool:
        """Return whether a key is text behind other text in the same widget, and so leads nowhere else."""
        return self._written is not None and self._written_by(event) is self._written

    def _written_by(self, event: events.Event) -> Widget | None:
        """Return the widget that takes a key as text, if one does."""
        focused = self._place()[1]
        if focused is None or not isinstance(event, events.Key):
            return None
        return focused if focused.check_consume_key(event.key, event.character) else None

    async def _see_through(self, pumps: Sequence[MessagePump], busy: frozenset[Worker[Any]]) -> None:
        """Wait until a key has been dealt with, then go on to the next."""
        try:
            async with asyncio.timeout(self.patience_seconds):
                await self._dealt_with(pumps, busy)
        except TimeoutError:
            self.log.warning("a key is still being dealt with; the next one is handed out all the same")
        self._dealing = None
        if self._ahead:
            self.call_later(self._hand_out_next)

    async def _dealt_with(self, pumps: Sequence[MessagePump], busy: frozenset[Worker[Any]]) -> None:
        """Wait until a key has led to where it leads.

        Args:
            pumps: the way of the key, from the widget that got it up to the app.
            busy: the workers that were at work before it.
        """
        rounds, place = 0, None
        while rounds < ROUNDS or place != self._place():
            rounds, place = rounds + 1, self._place()
            here = self._pumps_here()
            await _caught_up(pumps)
            if here != pumps:
                await _caught_up(here)
            while not busy.issuperset(self._busy()):
                # What it fetches or asks leads to another place, or to none.
                place = None
                await asyncio.sleep(LOOK_SECONDS)

    def _busy(self) -> Iterable[Worker[Any]]:
        """Return the workers that do what the person waits for."""
        return (
            worker
            for worker in self.workers
            if not worker.is_finished and worker.group not in ASIDE and worker not in self._asking
        )

    def _place(self) -> tuple[Screen[Any] | None, Widget | None]:
        """Return the screen on top, and what has the focus there."""
        try:
            return self.screen, self.focused
        except ScreenStackError:
            return None, None

    def _pumps_here(self) -> list[MessagePump]:
        """Return the way of a key that is handed out now."""
        screen, focused = self._place()
        return _way_up(focused or screen)

    def _pumps_for(self, event: events.Event) -> list[MessagePump]:
        """Return the way of what the person did: from under the mouse, or from what has the focus."""
        if isinstance(event, events.MouseEvent):
            try:
                return _way_up(self.get_widget_at(event.x, event.y)[0])
            except (NoWidget, ScreenStackError):
                return []
        return self._pumps_here()


def _way_up(start: Widget | None) -> list[MessagePump]:
    return [] if start is None else cast("list[MessagePump]", start.ancestors_with_self)


async def _caught_up(pumps: Iterable[MessagePump]) -> None:
    """Wait until each of these, in this order, has dealt with all that was posted to it.

    What one of them passes on to the next is dealt with too. One that closes is passed over.
    """
    for pump in pumps:
        reached = asyncio.Event()
        if pump.call_later(reached.set):
            await reached.wait()
