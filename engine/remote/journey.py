"""One run from being handed over to its end, as the engine sees it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from engine.calls.stopping import Stopping
from engine.extensions.executors import Handed
from engine.extensions.runlog import RunLog
from engine.remote.parcels import Line, read_end, read_lines
from engine.run import Outcome, RunRequest
from engine.states import RunStatus
from engine.store.engineside import Standing
from engine.store.remote import OVER, TAKEN
from engine.times.quantities import format_duration

#: Seconds beyond a run's time limit, and after it was told to end, that its worker has to report the end.
GRACE_SECONDS = 10.0


@dataclass(slots=True, eq=False)
class Carried:
    """A run that was handed over and has not come back.

    Attributes:
        news: set when there is something new to see.
        standing: how it stands, as it was read last.
        chunks: parts of its log that were read and not written.
        lines, asked: the numbers of the last part of its log, and of its last question, that were read.
        since: for how many seconds it had gone on, by its start on record, when it was taken up from another
            engine; None if it had not started then.
        asked_before: how many questions it had asked by then: another engine may have carried them out.
        lost: why its worker is taken to be gone.
    """

    request: RunRequest
    handed: Handed
    since: float | None = None
    asked_before: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    standing: Standing | None = None
    chunks: list[bytes] = field(default_factory=list)
    lines: int = 0
    asked: int = 0
    lost: str | None = None


class Hands(Protocol):
    """What can be done with a run that is elsewhere."""

    async def withdraw(self, run_id: int) -> bool:
        """Take back a run that nobody has taken; return False if somebody has."""

    async def give_up(self, run_id: int) -> bool:
        """Take a run out of its worker's hands; return False if it has ended there already."""

    async def ask_to_stop(self, run_id: int, reason: str, grace: float | None) -> None:
        """Tell a run's worker to end it."""


class Journey:
    """Waits for what becomes of a run, and passes on what is wanted of it."""

    def __init__(
        self, carried: Carried, hands: Hands, log: RunLog, cancel: asyncio.Future[str] | None
    ) -> None:
        self._carried = carried
        self._hands = hands
        self._log = log
        self._cancel: asyncio.Future[str] = cancel or asyncio.get_running_loop().create_future()
        self._begun = False
        self._asked = False
        self._told = False
        self._overdue: asyncio.TimerHandle | None = None
        self._is_overdue = False

    async def outcome(self) -> Outcome:
        """Return how the run ended."""
        self._cancel.add_done_callback(self._wake)
        if self._carried.since is not None:
            self._go_on(self._carried.since)
        try:
            while (ended := await self._look()) is None:
                await self._carried.news.wait()
                self._carried.news.clear()
            return ended
        finally:
            self._cancel.remove_done_callback(self._wake)
            if self._overdue is not None:
                self._overdue.cancel()

    def _wake(self, _: object = None) -> None:
        self._carried.news.set()

    async def _look(self) -> Outcome | None:
        standing = self._carried.standing
        if standing is not None and standing.state in (TAKEN, OVER) and not self._begun:
            self._begin(standing.worker or "")
        self._write_chunks()
        if standing is not None and standing.state == OVER:
            return self._ended(standing)
        return await (self._look_under_way() if self._begun else self._look_waiting())

    def _begin(self, worker: str) -> None:
        self._carried.handed.begun(worker)
        self._go_on(0.0)

    def _go_on(self, since: float) -> None:
        self._begun = True
        if isinstance(self._cancel, Stopping):
            self._cancel.pass_on(self._wake)
        self._be_due_in(max(0.0, self._carried.request.limits.wall_seconds - since) + GRACE_SECONDS)

    def _be_due_in(self, seconds: float) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
        self._overdue = asyncio.get_running_loop().call_later(seconds, self._be_overdue)

    def _be_overdue(self) -> None:
        self._is_overdue = True
        self._wake()

    def _write_chunks(self) -> None:
        chunks, self._carried.chunks = self._carried.chunks, []
        for chunk in chunks:
            self._write(read_lines(chunk))

    def _write(self, lines: tuple[Line, ...] | list[Line]) -> None:
        for level, text in lines:
            self._log.write(level, text)

    def _ended(self, standing: Standing) -> Outcome:
        end = read_end(standing.outcome or b"")
        self._write(end.lines)
        return end.outcome

    async def _look_waiting(self) -> Outcome | None:
        reason = self._cancel.result() if self._cancel.done() else getattr(self._cancel, "reason", None)
        if reason is not None and await self._hands.withdraw(self._carried.request.run_id):
            return Outcome(RunStatus.CANCELLED, error=reason)
        return None

    async def _look_under_way(self) -> Outcome | None:
        if self._carried.lost is not None:
            return await self._give_up(Outcome(RunStatus.CRASHED, error=self._carried.lost, blameless=True))
        if self._is_overdue:
            return await self._give_up(self._late())
        await self._pass_on()
        return None

    async def _give_up(self, outcome: Outcome) -> Outcome | None:
        return outcome if await self._hands.give_up(self._carried.request.run_id) else None

    async def _pass_on(self) -> None:
        run_id = self._carried.request.run_id
        if self._cancel.done() and not self._told:
            self._told = True
            self._be_due_in(GRACE_SECONDS)
            await self._hands.ask_to_stop(run_id, self._cancel.result(), 0.0)
        elif isinstance(self._cancel, Stopping) and self._is_new(self._cancel):
            self._asked = True
            await self._hands.ask_to_stop(run_id, self._cancel.reason or "", self._cancel.within)

    def _is_new(self, stopping: Stopping) -> bool:
        return stopping.reason is not None and not stopping.done() and not self._asked

    def _late(self) -> Outcome:
        standing = self._carried.standing
        worker = standing.worker if standing else None
        if self._cancel.done():
            return Outcome(RunStatus.CANCELLED, error=self._cancel.result())
        limit = format_duration(self._carried.request.limits.wall_seconds)
        return Outcome(
            RunStatus.TIMEOUT, error=f"worker {worker} did not end the run at its limit of {limit}"
        )
