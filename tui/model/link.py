"""The dashboard's way to its engine: fetches, listens, and begins anew when the engine goes and comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.errors import EngineUnreachable, MoontideError, StoreError
from engine.events import (
    AlertEnded,
    AlertRaised,
    Event,
    HoldChanged,
    JobChanged,
    JobsReloaded,
    JournalRecovered,
    JournalStalled,
    RunFinished,
)
from engine.states import EngineState, JobStatus
from tui.model.asking import Asking
from tui.model.board import Board, Reach
from tui.model.jobfetch import fetch_all_jobs, fetch_jobs

if TYPE_CHECKING:
    from engine.api.client import AsyncClient

RETRY_SECONDS = 1.0
#: The engine's own figures are asked for so often while things happen, and while nothing does.
BUSY_SECONDS = 2.0
QUIET_SECONDS = 15.0
RUNS_FETCHED = 2000

#: After these any job may stand otherwise.
_FOR_ALL = (JournalStalled, JournalRecovered, HoldChanged)


class Link:
    """Keeps a board true to an engine, for as long as `keep` runs."""

    def __init__(
        self,
        client: AsyncClient,
        board: Board,
        *,
        on_live: Callable[[], None] = lambda: None,
        on_restart: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare a link; nothing is sent yet.

        Args:
            on_live: called when the board is true again after a connection was made.
            on_restart: called when the engine came back as another session.
        """
        self.client = client
        self.board = board
        self._on_live = on_live
        self._on_restart = on_restart
        self._heard = asyncio.Event()
        self._stale = asyncio.Event()
        self._stale_jobs: set[str] = set()
        self._doubted_jobs: set[str] = set()
        self._all_stale = False
        self._ends_stale = True
        board.when_doubted = self._doubt

    async def keep(self) -> None:
        """Stay connected until cancelled; without an engine, try again every second."""
        while True:
            try:
                await self._stay()
                self.board.reached(self._where_lost(), "its stream ended")
            except EngineUnreachable as error:
                self.board.reached(self._where_lost(), str(error))
            except MoontideError as error:
                self.board.reached(Reach.REFUSED, str(error))
            await asyncio.sleep(RETRY_SECONDS)

    def _where_lost(self) -> Reach:
        view = self.board.engine
        stopped = view is not None and view.state in (EngineState.STOPPED, EngineState.DRAINING)
        return Reach.STOPPED if stopped else Reach.UNREACHABLE

    async def _stay(self) -> None:
        """Listen first and fetch then, so that nothing falls between the two."""
        async with self.client.events() as events:
            await self._fetch_all()
            await self._fetch_ends()
            refresh = asyncio.ensure_future(self._refresh())
            try:
                async for event in events:
                    self._take(event)
                    if refresh.done():
                        break
            finally:
                refresh.cancel()
                with suppress(asyncio.CancelledError):
                    await refresh

    async def _fetch_all(self) -> None:
        before = self.board.engine
        engine = await self.client.status()
        self.board.take_engine(engine)
        self.board.take_caller(await self.client.me())
        await fetch_all_jobs(self.client, self.board)
        self.board.reached(Reach.LIVE)
        self._on_live()
        if before is not None and before.session != engine.session:
            self._on_restart()

    async def _fetch_ends(self) -> None:
        """Fetch how runs ended; while the engine cannot read its database, all else is shown without."""
        meanwhile: list[Event] = []
        unlisten = self.board.listen(meanwhile.append)
        self._ends_stale = False
        try:
            runs = await self.client.runs(limit=RUNS_FETCHED)
        except StoreError:
            # The top line tells of the database; once it recovered they are fetched.
            self._ends_stale = True
            return
        finally:
            unlisten()
        self.board.take_runs(runs, [event for event in meanwhile if isinstance(event, RunFinished)])

    def _take(self, event: Event) -> None:
        self.board.take(event)
        self._heard.set()
        if names := _stale_jobs(event):
            self._stale_jobs.update(names)
            self._stale.set()
        elif isinstance(event, _FOR_ALL):
            self._all_stale = True
            self._stale.set()
        # Lagged is known by its name: events of the stream itself are no business of the model.
        elif type(event).__name__ == "Lagged":
            self._all_stale = self._ends_stale = True
            self._stale.set()

    def _doubt(self, name: str) -> None:
        """Ask for a job again, but not at once: of a busy one each answer is overtaken."""
        self._doubted_jobs.add(name)
        self._heard.set()

    async def _refresh(self) -> None:
        """Fetch the engine's figures now and then, and the jobs when an event says they changed."""
        while True:
            await self._pause()
            self._heard.clear()
            if self._stale.is_set():
                await self._fetch_stale()
            else:
                await self._fetch_doubted()
            with Asking(self.board) as asking:
                asking.take_engine(await self.client.status())

    async def _fetch_stale(self) -> None:
        names, everything = self._stale_jobs, self._all_stale
        self._stale_jobs, self._all_stale = set(), False
        self._stale.clear()
        if everything:
            await fetch_all_jobs(self.client, self.board)
            if self._ends_stale:
                await self._fetch_ends()
            self._on_live()
        else:
            await fetch_jobs(self.client, self.board, names)

    async def _fetch_doubted(self) -> None:
        """Fetch jobs whose answers were overtaken."""
        names, self._doubted_jobs = self._doubted_jobs, set()
        await fetch_jobs(self.client, self.board, names)

    async def _pause(self) -> None:
        """Wait until the next refresh is due: soon while things happen, at once after a reload."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), QUIET_SECONDS)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stale.wait(), BUSY_SECONDS)


def _stale_jobs(event: Event) -> Sequence[str]:
    """Return which jobs have to be fetched again, for what the event does not carry."""
    match event:
        case JobsReloaded():
            return (*event.added, *event.changed, *event.removed, *event.invalid, *event.others)
        case AlertRaised(job=name) | AlertEnded(job=name):
            return (name,)
        case JobChanged(job=name, status=JobStatus.INACTIVE | JobStatus.INVALID):
            # Whether it is active, and its error.
            return (name,)
        case HoldChanged(scope="job", target=name):
            return (name,)
    return ()
