"""The executor whose runs are carried to workers on other machines.

A run is handed over in the transaction that writes its row; from then on the database says how it stands, and
tells the engine when to look. The end that a worker reports is the run's end, unless the run was given up
before: then it is refused.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.engine.url import URL

from engine.errors import StoreError, UnreadableParcel
from engine.extensions.executors import Handed, LeftRun, RunQueue, Ticket
from engine.extensions.runlog import RunLog
from engine.remote.answering import Answers
from engine.remote.inhand import TOGETHER_SECONDS
from engine.remote.journey import Carried, Journey
from engine.remote.observing import Observer
from engine.remote.parcels import (
    Answer,
    Question,
    Request,
    answer_bytes,
    read_question,
    read_request,
    request_bytes,
)
from engine.remote.repeating import answer_from_before
from engine.run import Beside, Outcome, RunRequest
from engine.store import engineside, link, remote
from engine.store.journal import Journal
from engine.store.leftruns import StoredLeft, asked_by, stored_left
from engine.store.link import FIRST_PAUSE, LONGEST_PAUSE, Link, Listener
from engine.store.remote import TO_ENGINES, RemoteRun
from engine.store.sessions import close_unreadable
from engine.times.clock import Clock

logger = logging.getLogger("moontide.remote")

#: Seconds between two removals of what the queue needs no more.
TIDY_SECONDS = 600.0


class RemoteExecutor:
    """Implements `engine.extensions.executors.HandsOver`."""

    def __init__(
        self,
        *,
        queue: RunQueue,
        url: URL,
        journal: Journal,
        session: int,
        answers: Answers,
        observer: Observer,
        reader: Engine,
        clock: Clock,
        version: str,
        modules: Collection[str],
    ) -> None:
        """Make it; `start` before the first run.

        Args:
            queue: carries tickets of runs to workers.
            url: of the database; `reader` reads it.
            session: the engine's present session.
            version: of this engine.
            modules: the names of its core modules.
        """
        self._queue = queue
        self._journal = journal
        self._session = session
        self._answers = answers
        self._observer = observer
        self._reader = reader
        self._clock = clock
        self._version = version
        self._modules = tuple(sorted(modules))
        self._link = Link(url, "moontide engine, runs on workers")
        self._listener = Listener(
            url,
            "moontide engine, listening",
            lambda schema: [TO_ENGINES + schema],
            self._heard,
            self._look_at_all,
        )
        self._carried: dict[int, Carried] = {}
        self._to_look: set[int] = set()
        self._looking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Prepare the queue, and begin to listen.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        await self._link.use(self._queue.prepare)
        self._listener.start()
        self._begin(self._watch())
        self._begin(self._tidy())

    async def stop(self) -> None:
        """Listen no more."""
        await self._listener.stop()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._link.close()

    # What the dispatcher asks.

    def hand_over(self, request: RunRequest, handed: Handed) -> Beside:
        """Return what hands a run over; it is committed together with the run's row."""
        self._carried[request.run_id] = Carried(request, handed)
        row = RemoteRun(
            run_id=request.run_id,
            session=self._session,
            token=secrets.token_hex(8),
            request=request_bytes(request, self._version, self._modules, handed.memory),
            source_hash=request.source_hash,
        )
        ticket = Ticket(request.run_id, request.attempt, request.runs_on, request.priority)
        return Beside(self._write, (row, ticket))

    def _write(self, connection: Connection, values: Sequence[tuple[RemoteRun, Ticket]]) -> None:
        remote.write_remote(connection, [row for row, _ in values])
        self._queue.put(connection.connection.dbapi_connection, [ticket for _, ticket in values])

    async def run(
        self, request: RunRequest, *, log: RunLog, cancel: asyncio.Future[str] | None = None
    ) -> Outcome:
        """See a run through that was handed over, and return how it ended."""
        carried = self._carried[request.run_id]
        self._observer.judge(carried)
        try:
            return await Journey(carried, self, log, cancel).outcome()
        finally:
            del self._carried[request.run_id]

    def struck_off(self, run_id: int) -> Beside:
        """Return what removes all that was kept of a run elsewhere; it is committed together with its end."""
        return Beside(remote.forget_remote, run_id)

    # What an earlier engine has left

    async def left(self, check_memory: Callable[[bytes], object]) -> list[LeftRun]:
        """Return the runs that earlier engines have left to this one, the oldest first."""
        left: list[LeftRun] = []
        unreadable: dict[int, str] = {}
        for row in await asyncio.to_thread(stored_left, self._reader, self._session):
            try:
                one = _left(row, read_request(row.request))
                check_memory(one.memory)
            except (UnreadableParcel, ValueError) as error:
                unreadable[row.run_id] = f"this engine cannot go on with a run of an earlier one: {error}"
            else:
                left.append(one)
        if unreadable:
            await self._close(unreadable)
        return left

    async def _close(self, reasons: Mapping[int, str]) -> None:
        now = self._clock.now()
        await self._journal.transact(lambda connection: close_unreadable(connection, reasons, now))
        for run_id, reason in reasons.items():
            logger.error("run %s is CRASHED: %s", run_id, reason)

    def take_up(self, left: LeftRun, handed: Handed) -> None:
        """Go on with a run that an earlier engine has left."""
        since = (self._clock.now() - left.started).total_seconds() if left.started else None
        self._carried[left.request.run_id] = Carried(left.request, handed, since, asked_before=left.calls)
        self.look_at(left.request.run_id)

    # What a journey asks.

    async def withdraw(self, run_id: int) -> bool:
        """Take back a run that nobody has taken; return False if somebody has."""
        return self._or_look(run_id, await self._journal.transact(lambda one: remote.withdraw(one, run_id)))

    async def give_up(self, run_id: int) -> bool:
        """Take a run out of its worker's hands; return False if it has ended there already."""
        return self._or_look(run_id, await self._journal.transact(lambda one: remote.give_up(one, run_id)))

    def _or_look(self, run_id: int, done: bool) -> bool:
        if not done:
            self.look_at(run_id)
        return done

    async def ask_to_stop(self, run_id: int, reason: str, grace: float | None) -> None:
        """Tell a run's worker to end it."""
        await self._journal.transact(lambda connection: remote.ask_to_stop(connection, run_id, reason, grace))

    # News

    def _heard(self, channel: str, payload: str) -> None:
        told = payload.split(",")
        if not all(map(str.isdecimal, told)):
            # Everybody who reaches the database may say something here.
            self._look_at_all()
            return
        for one in told:
            self.look_at(int(one))

    def _look_at_all(self) -> None:
        for run_id in self._carried:
            self.look_at(run_id)

    def look_at(self, run_id: int) -> None:
        """Read how a run stands, with others that have news too."""
        if run_id in self._carried:
            self._to_look.add(run_id)
            if self._looking is None:
                self._looking = self._begin(self._look())

    async def _look(self) -> None:
        pause = FIRST_PAUSE
        try:
            while self._to_look:
                wanted, self._to_look = self._to_look, set()
                try:
                    await self._read(wanted)
                    pause = FIRST_PAUSE
                    await asyncio.sleep(TOGETHER_SECONDS)
                except StoreError as error:
                    logger.warning("runs on workers cannot be looked at: %s", error)
                    self._to_look |= wanted
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self._looking = None

    async def _read(self, wanted: set[int]) -> None:
        await self._link.use(partial(self._read_with, wanted))

    async def _read_with(self, wanted: set[int], connection: link.Connection) -> None:
        found = await engineside.standings(connection, wanted)
        known = {one.run_id: self._carried[one.run_id] for one in found if one.run_id in self._carried}
        present = [(one, known[one.run_id]) for one in found if one.run_id in known]
        seen = {one.run_id: run.lines for one, run in present if one.chunks > run.lines}
        asked = {one.run_id: run.asked for one, run in present if one.calls > run.asked}
        lines = await engineside.lines_after(connection, seen)
        questions = await engineside.questions_after(connection, asked)
        for run_id, number, chunk in lines:
            known[run_id].chunks.append(chunk)
            known[run_id].lines = number
        for run_id, number, question in questions:
            known[run_id].asked = number
            before = number <= known[run_id].asked_before
            self._begin(self._answer(run_id, number, question, before=before))
        for one, run in present:
            run.standing = one
            run.news.set()

    async def _answer(self, run_id: int, number: int, asked: bytes, *, before: bool) -> None:
        try:
            question = read_question(asked)
            known = await self._known_answer(run_id, question) if before else None
            answer = known or await self._answers.answer(question)
        except UnreadableParcel as error:
            answer = Answer(error=str(error), code=810)
        told = answer_bytes(answer)
        await self._journal.transact(lambda connection: remote.answer_call(connection, run_id, number, told))

    async def _known_answer(self, run_id: int, question: Question) -> Answer | None:
        """Return the answer to a question that another engine may have carried out, if it has."""
        return answer_from_before(question, await asyncio.to_thread(asked_by, self._reader, run_id))

    # From time to time

    async def _watch(self) -> None:
        while True:
            await self._observer.pause()
            if not self._carried:
                continue
            try:
                await self._observer.look()
            except StoreError as error:
                logger.warning("workers cannot be looked at: %s", error)
                continue
            for carried in self._carried.values():
                self._observer.judge(carried)

    async def _tidy(self) -> None:
        while True:
            try:
                await self._link.use(self._queue.tidy)
            except StoreError as error:
                logger.warning("the queue of runs cannot be tidied now: %s", error)
            await asyncio.sleep(TIDY_SECONDS)

    def _begin(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, StoreError):
            logger.warning("something about a run on a worker is not on record: %s", error)
        else:
            logger.error("a task for runs on workers failed; this is a bug of the engine", exc_info=error)


def _left(row: StoredLeft, request: Request) -> LeftRun:
    return LeftRun(request.run, request.memory, row.started, row.log_lines, row.calls, row.stop, row.grace)
