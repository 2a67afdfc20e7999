"""A worker at work: it takes runs for its free slots, carries them out and reports on them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from typing import Any

from sqlalchemy.engine.url import URL

from engine.errors import CoreError, JobFileError, StoreError, StoreUnavailable, UnreadableParcel
from engine.extensions.executors import RunQueue
from engine.extensions.runlog import RunLog
from engine.remote.asking import AskedJob, AskedRuns
from engine.remote.inhand import TOGETHER_SECONDS, InHand
from engine.remote.parcels import Answer, Request, question_bytes, read_answer, read_request
from engine.remote.reporting import Reporter
from engine.run import Limits, Outcome, RunRequest
from engine.runs.runner import Runner
from engine.states import RunStatus
from engine.store import workerside
from engine.store.documents import StoredDocuments
from engine.store.link import FIRST_PAUSE, LONGEST_PAUSE, Link, Listener
from engine.store.remote import TO_WORKERS
from engine.store.workerside import TakenRun, Wish
from engine.times.clock import Clock

logger = logging.getLogger("moontide.worker")

#: Seconds after which the queue is looked at though nothing was heard.
LOOK_SECONDS = 60.0

#: The same, for a worker that has a slot free again: nobody tells of a ticket whose taking came to nothing.
LOOK_AGAIN_SECONDS = 1.0

#: Sources that are kept at hand.
MOST_SOURCES = 500

GIVEN_UP = "the engine has given this run up"

#: Gives the documents as one run may write them.
DocumentsFor = Callable[[int, str], StoredDocuments]


class Crew:
    """Carries out the runs of one worker."""

    def __init__(
        self,
        *,
        queue: RunQueue,
        url: URL,
        runner: Runner,
        documents: DocumentsFor,
        clock: Clock,
        node: str,
        name: str,
        version: str,
        tags: Collection[str],
        slots: int,
        modules: Collection[str],
    ) -> None:
        """Make it; `start` begins to take runs.

        Args:
            queue: carries tickets of runs here.
            url: of the database.
            runner: carries out runs in this process's sandbox.
            node: this worker's id, `name` what it is called.
            version: of this worker.
            tags: what it offers.
            slots: how many runs it carries out at once.
            modules: the names of its core modules.
        """
        self._queue = queue
        self._runner = runner
        self._documents = documents
        self._clock = clock
        self._node, self._name, self._version = node, name, version
        self._tags = frozenset(tags)
        self._slots = slots
        self._modules = frozenset(modules)
        self._link = Link(url, f"moontide worker {name}")
        self._listener = Listener(
            url, f"moontide worker {name}, listening", self._channels, self._heard, self._heard_anew
        )
        self._reporter = Reporter(self._link, node=node, name=name, refused=self._fenced_out)
        self._runs: dict[int, InHand] = {}
        self._to_look: set[int] = set()
        self._looking: asyncio.Task[None] | None = None
        self._taking: asyncio.Task[None]
        self._tasks: set[asyncio.Task[None]] = set()
        self._sources: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._look_for_mine = True
        self._may_wait = True
        self._looked = 0.0
        self._paused = False
        self._draining = False

    @property
    def running(self) -> int:
        """How many runs are in hand."""
        return len(self._runs)

    def start(self) -> None:
        """Begin to take runs."""
        self._listener.start()
        self._taking = self._begin(self._take_on())

    def pause(self, paused: bool) -> None:
        """Take nothing new, or go on."""
        self._paused = paused
        self._wake.set()

    async def drain(self, reason: str, seconds: float) -> list[int]:
        """Take nothing new, let runs under way end, stop them when time is up, and close all.

        Args:
            reason: why; it stands in the runs that were stopped.
            seconds: how long they may take.

        Returns:
            the runs that had to be stopped.
        """
        self._draining = True
        self._wake.set()
        # What is being taken in this moment is carried out too.
        await asyncio.wait({self._taking}, timeout=seconds)
        carrying = {task for task in self._tasks if task.get_name().startswith("run ")}
        if carrying:
            await asyncio.wait(carrying, timeout=seconds)
        stopped = list(self._runs.values())
        for run in stopped:
            run.stopping.end(reason)
        if carrying:
            await asyncio.wait(carrying, timeout=seconds)
        await self._listener.stop()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._link.close()
        return [run.run_id for run in stopped]

    # Taking

    async def _take_on(self) -> None:
        pause = FIRST_PAUSE
        while not self._draining:
            self._wake.clear()
            try:
                more = await self._take()
                pause = FIRST_PAUSE
            except Exception as error:  # the queue is a plugin, and without this loop a worker does nothing
                _tell_not_taken(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            if not more:
                await self._woken()

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            logger.debug("nothing was heard for %g s", LOOK_SECONDS)

    async def _take(self) -> bool:
        """Take as many runs as there are free slots; return whether there may be more at once."""
        may_wait = self._tickets_may_wait()
        if self._look_for_mine:
            await self._find_mine()
        free = 0 if self._paused else self._slots - len(self._runs)
        if free <= 0 or not may_wait:
            return False
        # If its end is not heard of, runs may be taken that nobody here knows of.
        self._look_for_mine = True
        self._may_wait, self._looked = False, self._clock.monotonic()
        async with self._link.transaction() as connection:
            tickets = await self._queue.take(connection, self._tags, free)
            ids = [ticket.run_id for ticket in tickets]
            taken = await workerside.claim(connection, ids, self._node, self._name) if ids else []
            await self._fetch(connection, {run.source_hash for run in taken})
        self._look_for_mine = False
        for run in taken:
            self._carry(run)
        self._may_wait |= len(tickets) == free
        if taken:
            await asyncio.sleep(TOGETHER_SECONDS)
        return self._may_wait

    def _tickets_may_wait(self) -> bool:
        """Return whether the queue is worth a look: a look costs as much as a run."""
        long_ago = self._clock.monotonic() - self._looked > LOOK_AGAIN_SECONDS
        return self._may_wait or self._look_for_mine or long_ago

    async def _find_mine(self) -> None:
        """Carry out what was taken without this worker's having heard of it."""
        async with self._link.transaction() as connection:
            mine = await workerside.taken_by(connection, self._node)
            unknown = [run for run in mine if run.run_id not in self._runs]
            await self._fetch(connection, {run.source_hash for run in unknown})
        self._look_for_mine = False
        for run in unknown:
            self._carry(run)

    async def _fetch(self, connection: Any, hashes: Collection[str]) -> None:
        missing = set(hashes) - self._sources.keys()
        if missing:
            if len(self._sources) > MOST_SOURCES:
                self._sources.clear()
                missing = set(hashes)
            self._sources.update(await workerside.sources(connection, missing))

    # Carrying out

    def _carry(self, taken: TakenRun) -> None:
        run = self._runs[taken.run_id] = InHand(taken.run_id, taken.token)
        self._begin(self._see_through(run, taken), f"run {run.run_id}")

    async def _see_through(self, run: InHand, taken: TakenRun) -> None:
        try:
            run.outcome = await self._outcome(run, taken)
            await self._reporter.ended(run)
        finally:
            del self._runs[run.run_id]
            self._wake.set()

    async def _outcome(self, run: InHand, taken: TakenRun) -> Outcome:
        try:
            request = read_request(taken.request)
            log = self._log(run, request.run.limits)
            self._note_lacks(request, log)
            return await self._served(run).run(self._with_source(request.run), log=log, cancel=run.stopping)
        except StoreError as error:
            return Outcome(RunStatus.CRASHED, error=f"worker {self._name}: {error}", blameless=True)
        except Exception:
            logger.exception("run %s could not be carried out; this is a bug of the worker", run.run_id)
            return Outcome(
                RunStatus.CRASHED, error=f"worker {self._name} failed in this run; its log says more"
            )

    def _with_source(self, request: RunRequest) -> RunRequest:
        if request.source:
            return request
        text = self._sources.get(request.source_hash)
        if text is None:
            raise StoreError("the source of this run is not in the database")
        return replace(request, source=text.encode())

    def _log(self, run: InHand, limits: Limits) -> RunLog:
        return RunLog(limits=limits, clock=self._clock, keep=lambda line: self._reporter.line(run, line))

    def _note_lacks(self, request: Request, log: RunLog) -> None:
        """Say what this worker lacks of what the run may need."""
        source = request.run.source or self._sources.get(request.run.source_hash, "").encode()
        for module in sorted(set(request.modules) - self._modules):
            if f"core.{module}".encode() in source:
                log.write("warn", f"worker {self._name} has no core.{module}: its plugin is not loaded there")
        if request.version != self._version:
            log.write(
                "warn",
                f"worker {self._name} is Moontide {self._version}, the engine is {request.version}",
            )

    def _served(self, run: InHand) -> Runner:
        async def ask(method: str, *arguments: Any) -> Any:
            return await self._ask(run, method, arguments)

        async def library(module: str) -> bytes:
            try:
                return await self._library_source(await ask("require", module))
            except CoreError as error:
                raise JobFileError(error.message) from error

        return self._runner.serving(
            documents=self._documents(run.run_id, run.token),
            runs=AskedRuns(ask),
            own_job=AskedJob(ask),
            library=library,
        )

    async def _library_source(self, source_hash: str) -> bytes:
        if source_hash not in self._sources:
            async with self._link.transaction() as connection:
                await self._fetch(connection, {source_hash})
        return self._sources[source_hash].encode()

    # Asking

    async def _ask(self, run: InHand, method: str, arguments: tuple[Any, ...]) -> Any:
        run.asked += 1
        number = run.asked
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        run.waiting[number] = answer
        question = question_bytes(method, arguments)
        try:
            async with self._link.transaction() as connection:
                counts = await workerside.ask(
                    connection, (run.run_id, run.token), self._node, number, question
                )
            if not counts:
                self._fenced_out(run)
                raise CoreError(GIVEN_UP)
            came = await answer
        except StoreUnavailable as error:
            raise CoreError("the database cannot be reached now; try again later") from error
        except StoreError as error:
            raise CoreError(str(error)) from error
        finally:
            del run.waiting[number]
        if came.error is not None:
            raise CoreError(came.error, came.code or 810)
        return came.value

    # News

    def _channels(self, schema: str) -> list[str]:
        return [TO_WORKERS + schema, self._queue.channel]

    def _heard(self, channel: str, payload: str) -> None:
        if channel == self._queue.channel:
            if self._queue.is_news(payload):
                self._look_at_queue()
        elif not payload.isdecimal():
            # Everybody who reaches the database may say something here.
            self._look_at(set(self._runs))
        elif int(payload) in self._runs:
            self._look_at({int(payload)})

    def _heard_anew(self) -> None:
        self._look_at_queue()
        self._look_at(set(self._runs))

    def _look_at_queue(self) -> None:
        self._may_wait = True
        self._wake.set()

    def _look_at(self, run_ids: set[int]) -> None:
        self._to_look |= run_ids
        if self._looking is None and self._to_look:
            self._looking = self._begin(self._look())

    async def _look(self) -> None:
        try:
            while self._to_look:
                wanted, self._to_look = self._to_look, set()
                try:
                    await self._read(wanted)
                except StoreError as error:
                    logger.warning("what the engine wants of runs cannot be read now: %s", error)
                    self._to_look |= wanted
                    await asyncio.sleep(LONGEST_PAUSE)
        finally:
            self._looking = None

    async def _read(self, wanted: set[int]) -> None:
        tokens = {run_id: self._runs[run_id].token for run_id in wanted if run_id in self._runs}
        async with self._link.transaction() as connection:
            wishes = await workerside.wishes(connection, tokens)
            asking = [run_id for run_id in tokens if self._is_asking(run_id)]
            answers = await workerside.answers(connection, asking) if asking else {}
        for wish in wishes:
            if (run := self._runs.get(wish.run_id)) is not None:
                self._heed(run, wish)
        for (run_id, number), answer in answers.items():
            run = self._runs.get(run_id)
            waiting = run.waiting.get(number) if run else None
            if waiting is not None and not waiting.done():
                waiting.set_result(_answer(answer))

    def _is_asking(self, run_id: int) -> bool:
        return run_id in self._runs and bool(self._runs[run_id].waiting)

    def _heed(self, run: InHand, wish: Wish) -> None:
        if wish.given_up and run.outcome is None:
            self._fenced_out(run)
        elif wish.stop is not None and wish.grace == 0:
            run.stopping.end(wish.stop)
        elif wish.stop is not None and wish.grace is not None and run.stopping.reason is None:
            run.stopping.ask_within(wish.stop, wish.grace)
        elif wish.stop is not None:
            run.stopping.ask(wish.stop)

    def _fenced_out(self, run: InHand) -> None:
        if not run.given_up:
            run.given_up = True
            logger.warning("run %s was given up by the engine; nothing of it counts any more", run.run_id)
        run.stopping.end(GIVEN_UP)

    def _begin(self, work: Coroutine[Any, Any, None], name: str | None = None) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a task of this worker failed; this is a bug", exc_info=error)


def _tell_not_taken(error: Exception) -> None:
    known = isinstance(error, StoreError)
    logger.warning("no runs can be taken now: %s", error, exc_info=None if known else error)


def _answer(told: bytes) -> Answer:
    """Return the engine's answer, also if it cannot be read: its run waits for one."""
    try:
        return read_answer(told)
    except UnreadableParcel as error:
        return Answer(error=str(error), code=810)
