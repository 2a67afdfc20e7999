"""The supply of workers: keeps some ready, takes them back, replaces what is worn out or dead."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

from engine.errors import MissingWall, SandboxError, WireError, WorkerDied
from engine.sandbox import wire, words
from engine.sandbox.channel import WorkerChannel
from engine.sandbox.nursery import Nursery

_log = logging.getLogger(__name__)

_FIRST_DELAY_SECONDS = 0.05
_LONGEST_DELAY_SECONDS = 5.0
_MAX_FALSE_STARTS = 3


class _Birth:
    """Waits for a new worker's first message."""

    def __init__(self, supply: WorkerSupply, worker: WorkerChannel) -> None:
        self._supply, self._worker = supply, worker

    def received(self, message: wire.FromWorker) -> None:
        if isinstance(message, wire.Ready):
            self._supply._born(self._worker, message.walls)
        elif isinstance(message, wire.Fatal):
            _log.error("a new worker gave up: %s", words.from_worker(message.detail.encode()))
        else:
            raise WireError(f"{type(message).__name__} from a new worker")

    def dismissed(self) -> None:
        pass

    def lost(self, why: str | None) -> None:
        self._supply._stillborn(self._worker, why or "it ended before it was ready")


class _Idle:
    """Notices when a worker that waits for work ends."""

    def __init__(self, supply: WorkerSupply, worker: WorkerChannel) -> None:
        self._supply, self._worker = supply, worker

    def received(self, message: wire.FromWorker) -> None:
        raise WireError(f"{type(message).__name__} from an idle worker")

    def dismissed(self) -> None:
        pass

    def lost(self, why: str | None) -> None:
        self._supply._forget_idle(self._worker)


class WorkerSupply:
    """Hands out hardened workers, one user at a time each."""

    def __init__(
        self,
        setup: wire.Setup,
        *,
        warm: int,
        max_runs: int,
        idle_seconds: float,
        allow_missing: frozenset[str],
        on_replaced: Callable[[str], None] | None,
    ) -> None:
        """Prepare; see `WorkerPool` for the arguments."""
        self._setup = setup
        self._warm, self._max_runs, self._idle_seconds = warm, max_runs, idle_seconds
        self._allow_missing = allow_missing
        self._on_replaced = on_replaced
        self.walls: dict[str, str] = {}
        self._nursery: Nursery | None = None
        self._idle: deque[WorkerChannel] = deque()
        self._starting: set[WorkerChannel] = set()
        self._waiters: deque[asyncio.Future[WorkerChannel]] = deque()
        self._unusable: SandboxError | None = WorkerDied("the sandbox has not started")
        self._false_starts = 0
        self._replacing: asyncio.Task[None] | None = None
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._refill_timer: asyncio.TimerHandle | None = None

    @property
    def workers(self) -> int:
        """Worker processes alive now."""
        return self._nursery.workers if self._nursery is not None else 0

    @property
    def zygote_pid(self) -> int | None:
        """The process that the workers are forked from, while there is one."""
        return self._nursery.pid if self._nursery is not None else None

    async def start(self) -> None:
        """Start the zygote and the first worker, and check its walls.

        Raises:
            MissingWall, PluginError, SandboxError: as `WorkerPool.start`.
        """
        self._loop = asyncio.get_running_loop()
        self._nursery = await self._new_nursery()
        self._unusable = None
        try:
            self.give_back(await self.take())
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Kill all workers and the zygote, and wait until nothing of them is left."""
        self._unusable = WorkerDied("the engine is stopping")
        self._fail_waiters(self._unusable)
        for timer in (self._sweep_timer, self._refill_timer):
            if timer is not None:
                timer.cancel()
        self._sweep_timer = self._refill_timer = None
        if self._replacing is not None:
            self._replacing.cancel()
            await asyncio.wait([self._replacing])
            self._replacing = None
        self._forget_spares()
        if self._nursery is not None:
            nursery, self._nursery = self._nursery, None
            await nursery.stop()

    async def take(self) -> WorkerChannel:
        """Return a worker that nobody else uses, as soon as there is one.

        Raises:
            SandboxError: none can be had.
        """
        if self._unusable is not None:
            raise self._unusable
        worker = self._take_idle() or await self._wait_for_worker()
        worker.runs += 1
        worker.listener = None
        self._refill()
        return worker

    def _take_idle(self) -> WorkerChannel | None:
        while self._idle:
            worker = self._idle.pop()
            if not worker.has_hung_up():
                return worker
            worker.listener = None
            worker.kill()
        return None

    async def _wait_for_worker(self) -> WorkerChannel:
        waiter: asyncio.Future[WorkerChannel] = self._loop.create_future()
        self._waiters.append(waiter)
        self._refill()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._offer(waiter.result())
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def give_back(self, worker: WorkerChannel) -> None:
        """Take a worker back after an ordinary end; a worn-out or dead one is replaced."""
        worn_out = worker.runs >= self._max_runs or worker.cpu_seconds >= self._setup.cpu_ceiling_seconds
        if worn_out or self._unusable is not None or not worker.alive:
            worker.kill()
            self._refill()
            return
        self._offer(worker)

    def _offer(self, worker: WorkerChannel) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                worker.listener = None
                waiter.set_result(worker)
                return
        worker.listener = _Idle(self, worker)
        worker.idle_since = time.monotonic()
        self._idle.append(worker)
        self._plan_sweep()

    def _forget_idle(self, worker: WorkerChannel) -> None:
        if worker in self._idle:
            self._idle.remove(worker)
        self._refill()

    def _refill(self) -> None:
        if self._unusable is not None or self._nursery is None or self._refill_timer is not None:
            return
        missing = len(self._waiters) + max(self._warm - len(self._idle), 0) - len(self._starting)
        for _ in range(missing):
            try:
                worker = self._nursery.ask()
            except OSError as error:
                self._false_start(error.strerror or str(error))
                return
            worker.listener = _Birth(self, worker)
            self._starting.add(worker)

    # New workers

    def _born(self, worker: WorkerChannel, walls: dict[str, str]) -> None:
        self._starting.discard(worker)
        self._false_starts = 0
        self.walls = walls
        missing = {n: s for n, s in walls.items() if s != "on" and n not in self._allow_missing}
        if missing:
            worker.kill()
            self._unusable = MissingWall(_missing_words(missing))
            self._fail_waiters(self._unusable)
            return
        self._offer(worker)

    def _stillborn(self, worker: WorkerChannel, why: str) -> None:
        self._starting.discard(worker)
        self._false_start(why)

    def _false_start(self, why: str) -> None:
        """Try again a little later, and let nobody wait for long."""
        self._false_starts += 1
        if self._false_starts >= _MAX_FALSE_STARTS:
            self._fail_waiters(WorkerDied(f"a new worker failed: {why}"))
        if self._refill_timer is None and self._unusable is None:
            delay = min(_FIRST_DELAY_SECONDS * 2**self._false_starts, _LONGEST_DELAY_SECONDS)
            self._refill_timer = self._loop.call_later(delay, self._refill_again)

    def _refill_again(self) -> None:
        self._refill_timer = None
        self._refill()

    def _fail_waiters(self, error: SandboxError) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(error)

    # The zygote

    async def _new_nursery(self) -> Nursery:
        nursery = Nursery(forked=lambda _worker: None, refused=self._stillborn, lost=self._zygote_lost)
        await nursery.start(self._setup)
        return nursery

    def _zygote_lost(self, reason: str) -> None:
        _log.error("the zygote ended (%s); its workers died with it, a new one starts", reason)
        self._nursery = None
        self._forget_spares()
        self._replacing = self._loop.create_task(self._replace(reason))

    def _forget_spares(self) -> None:
        for worker in [*self._idle, *self._starting]:
            worker.listener = None
        self._idle.clear()
        self._starting.clear()

    async def _replace(self, reason: str) -> None:
        delay = _FIRST_DELAY_SECONDS
        while True:
            try:
                self._nursery = await self._new_nursery()
                break
            except (SandboxError, OSError):
                _log.exception("the zygote does not start; next try in %g s", delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)
        self._refill()
        if self._on_replaced is not None:
            self._on_replaced(reason)

    # Idle workers

    def _plan_sweep(self) -> None:
        if self._sweep_timer is None and (len(self._idle) > self._warm or any(w.runs for w in self._idle)):
            self._sweep_timer = self._loop.call_later(self._idle_seconds, self._sweep)

    def _sweep(self) -> None:
        self._sweep_timer = None
        limit = time.monotonic() - self._idle_seconds * 0.99
        for worker in [w for w in self._idle if w.idle_since <= limit]:
            if worker.runs or len(self._idle) > self._warm:
                self._idle.remove(worker)
                worker.listener = None
                worker.kill()
        self._refill()
        self._plan_sweep()


def _missing_words(missing: dict[str, str]) -> str:
    listed = "; ".join(f"{name}: {state.removeprefix('missing: ')}" for name, state in missing.items())
    return f"the sandbox would have no {' and no '.join(missing)} here ({listed})"
