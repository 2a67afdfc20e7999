"""Executors: what carries runs out. The engine's own one, `local`, uses its sandboxed workers.

An executor takes a `RunRequest`, which is plain data and can be sent to another process or machine, and
gives an `Outcome`. What a plugin's executor does is held to the promises of the engine by a guard: a run
ends, as an outcome, and at its time limit at the latest.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from engine.errors import PluginError, SettingsError
from engine.extensions.runlog import RunLog
from engine.run import Beside, Outcome, RunRequest
from engine.states import RunStatus
from engine.times.quantities import format_duration, format_size

logger = logging.getLogger("moontide.executors")

LOCAL = "local"
#: How long an executor may take to open, and to close.
OPEN_SECONDS = 30.0
#: What a plugin's executor gets beyond a run's time limit, and after a run was cancelled, to end it itself.
GRACE_SECONDS = 10.0

#: Ends that an executor can give.
ENDS = frozenset(
    {RunStatus.COMPLETE, RunStatus.ERROR, RunStatus.TIMEOUT, RunStatus.CRASHED, RunStatus.CANCELLED}
)


class Executor(Protocol):
    """Carries runs out, many at once."""

    async def run(
        self, request: RunRequest, *, log: RunLog, cancel: asyncio.Future[str] | None = None
    ) -> Outcome:
        """Carry out one run, within its limits, and return how it ended.

        Args:
            request: plain data.
            log: `write(level, text)` takes each line that the run writes.
            cancel: resolved with a reason, it stops the run; the engine's own executor finds in it how the
                run is asked before (`engine.calls.stopping.Stopping`). It belongs to the engine: only wait
                for it with `asyncio.wait`, or add a callback.
        """


@dataclass(slots=True)
class Handed:
    """How a run stands that was handed over to be carried out elsewhere.

    Attributes:
        begun: to be called once, with the name of who has taken it, when it starts.
        memory: what an engine has to know that takes the run over from this one; nobody else looks into it.
        waits_for: what it waits for until then, for people.
    """

    begun: Callable[[str], None]
    memory: bytes = b""
    waits_for: str = "a worker"


@dataclass(frozen=True, slots=True)
class LeftRun:
    """A run that an earlier engine has handed over, and that has not ended on record.

    Attributes:
        request: without its source.
        memory: that of its `Handed`.
        started: when its start was written; None while it waits for somebody to take it.
        log_lines: how many lines of its log are written.
        calls: how many questions it has asked of earlier engines.
        stop: why it was told to end, within `grace` seconds (0: at once, None: when it will).
    """

    request: RunRequest
    memory: bytes
    started: datetime | None
    log_lines: int
    calls: int
    stop: str | None
    grace: float | None


@runtime_checkable
class HandsOver(Protocol):
    """An executor whose runs wait elsewhere until somebody takes them; in this way none of them is lost.

    Whoever runs one goes on with it also when the engine ends: the next engine takes it up.
    """

    def hand_over(self, request: RunRequest, handed: Handed) -> Beside:
        """Return what hands a run over; it is committed together with the run's row, before `run` is called.

        Args:
            handed: to be kept up to date.
        """

    async def left(self, check_memory: Callable[[bytes], object]) -> list[LeftRun]:
        """Return the runs that earlier engines have left to this one, the oldest first.

        One that cannot be read, as it is damaged or an engine of another version wrote it, ends as CRASHED.

        Args:
            check_memory: refuses the memory of a run, as a ValueError, that the engine cannot read.

        Raises:
            StoreError: the database cannot be read.
        """

    def take_up(self, left: LeftRun, handed: Handed) -> None:
        """Go on with a run that an earlier engine has left; `run` is called next.

        Args:
            handed: to be kept up to date; the start of a run that has one on record is not told again.
        """

    def struck_off(self, run_id: int) -> Beside:
        """Return what removes all that was kept of a run elsewhere; it is committed together with its end."""

    async def run(
        self, request: RunRequest, *, log: RunLog, cancel: asyncio.Future[str] | None = None
    ) -> Outcome:
        """As `Executor.run`, for a run that was handed over."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a queue carries of a run, and nothing else.

    Attributes:
        runs_on: the tags that a worker has to offer to be given it.
        priority: higher ones first.
    """

    run_id: int
    attempt: int
    runs_on: tuple[str, ...] = ()
    priority: int = 0


class RunQueue(Protocol):
    """Carries tickets of runs from engines to workers, by the database that both of them work on.

    The connections are psycopg's, to a PostgreSQL server.
    """

    #: Who listens on this channel is told of new tickets.
    channel: str

    async def prepare(self, connection: Any) -> None:
        """Make what it needs in the database; the connection commits each statement by itself."""

    def put(self, connection: Any, tickets: Sequence[Ticket]) -> None:
        """Hand tickets in, inside the connection's transaction."""

    async def take(self, connection: Any, tags: Collection[str], most: int) -> list[Ticket]:
        """Take tickets inside the connection's transaction: once that is committed, nobody else gets them.

        Args:
            connection: an asynchronous one.
            tags: what the worker offers.
            most: how many, at the most.
        """

    def is_news(self, payload: str) -> bool:
        """Return whether what came on the channel tells of new tickets."""

    async def tidy(self, connection: Any) -> None:
        """Remove what is of no use any more; called from time to time."""


@dataclass(frozen=True, slots=True)
class ExecutorContext:
    """What an executor may know of the engine that opens it.

    Attributes:
        home: the engine's home folder, absolute.
        local: the engine's own executor.
        services: what the services of the core modules yielded, by the module's name.
        carried_by: gives the executor whose runs a queue carries to workers on other machines.
    """

    home: Path
    local: Executor
    carried_by: Callable[[RunQueue], AbstractAsyncContextManager[Executor]]
    services: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorKind:
    """An executor that can be chosen with `executor = "name"` in moontide.toml.

    Attributes:
        name: how it is chosen.
        open: gives an async context manager that yields the executor; it is entered before the first run and
            left after the last one.
        queue: instead of `open`: makes the queue by which runs are carried to `moontide worker`.
        summary: one sentence for people.
    """

    name: str
    open: Callable[[ExecutorContext], AbstractAsyncContextManager[Executor]] | None = None
    queue: Callable[[], RunQueue] | None = None
    summary: str

    def __post_init__(self) -> None:
        """Check that there is one way to have it.

        Raises:
            PluginError: there is none, or two.
        """
        if (self.open is None) == (self.queue is None):
            raise PluginError(f"the executor {self.name} is given by open or by queue, one of them")


@dataclass(frozen=True, slots=True)
class OfferedExecutor:
    """An executor kind with the plugin that gives it.

    Attributes:
        guarded: whether its answers are checked; those of the engine's own one need not be.
    """

    kind: ExecutorKind
    plugin: str
    guarded: bool = True


async def open_executor(
    name: str, offered: Mapping[str, OfferedExecutor], context: ExecutorContext, parts: AsyncExitStack
) -> Executor:
    """Open the executor that the operator chose; it is closed with `parts`.

    Raises:
        SettingsError: there is none of that name.
        PluginError: it did not open. The engine does not start then: runs would go where nobody wants them.
    """
    chosen = chosen_executor(name, offered)
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            opened = _opened(chosen.kind, context)
            executor = await opened.__aenter__()
    # Also one that calls sys.exit() must end with words.
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise PluginError(
            f"the executor {name} of plugin {chosen.plugin} could not be opened: {reason}"
        ) from error
    parts.push_async_callback(_close, name, opened)
    # What a queue carries is seen through by the engine itself.
    if chosen.guarded and chosen.kind.queue is None:
        return GuardedExecutor(executor, name, chosen.plugin)
    return executor


def chosen_executor(name: str, offered: Mapping[str, OfferedExecutor]) -> OfferedExecutor:
    """Return the executor that the operator chose.

    Raises:
        SettingsError: there is none of that name.
    """
    chosen = offered.get(name)
    if chosen is None:
        known = ", ".join(sorted(offered)) or "none"
        raise SettingsError(
            f"moontide.toml: executor = {json.dumps(name)}: no loaded plugin gives such an executor; "
            f"there are {known}. `moontide plugins` says why a plugin is not loaded"
        )
    return chosen


def carries_elsewhere(name: str, offered: Mapping[str, OfferedExecutor]) -> bool:
    """Return whether runs of the executor that the operator chose go on when the engine ends.

    Raises:
        SettingsError: there is none of that name.
    """
    return chosen_executor(name, offered).kind.queue is not None


def _opened(kind: ExecutorKind, context: ExecutorContext) -> AbstractAsyncContextManager[Executor]:
    if kind.queue is not None:
        return context.carried_by(kind.queue())
    assert kind.open is not None
    return kind.open(context)


async def _close(name: str, opened: AbstractAsyncContextManager[Any]) -> None:
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await opened.__aexit__(None, None, None)
    except (Exception, SystemExit):
        logger.exception("the executor %s could not be closed", name)


class GuardedExecutor:
    """A plugin's executor: what it raises is an outcome, and what it does not end is ended."""

    def __init__(self, executor: Executor, name: str, plugin: str) -> None:
        self._executor = executor
        self._words = f"the executor {name} of plugin {plugin}"

    async def run(
        self, request: RunRequest, *, log: RunLog, cancel: asyncio.Future[str] | None = None
    ) -> Outcome:
        """Carry out one run; however the executor behaves, there is an outcome."""
        work = asyncio.ensure_future(self._work(request, log, cancel))
        try:
            await self._wait(work, request.limits.wall_seconds, cancel)
            if work.done():
                return self._checked(work.result(), request.limits.result_bytes)
        finally:
            work.cancel()
        if cancel is not None and cancel.done():
            return Outcome(RunStatus.CANCELLED, error=cancel.result())
        limit = format_duration(request.limits.wall_seconds)
        return Outcome(RunStatus.TIMEOUT, error=f"{self._words} did not end the run at its limit of {limit}")

    async def _work(
        self, request: RunRequest, log: RunLog, cancel: asyncio.Future[str] | None
    ) -> Outcome | None:
        try:
            return await self._executor.run(request, log=log, cancel=cancel)
        except (Exception, SystemExit):
            logger.exception("%s failed in run %s", self._words, request.run_id)
            return Outcome(RunStatus.CRASHED, error=f"{self._words} failed; the engine's log says more")

    async def _wait(
        self, work: asyncio.Future[Any], wall_seconds: float, cancel: asyncio.Future[str] | None
    ) -> None:
        wanted = {work} if cancel is None else {work, cancel}
        await asyncio.wait(wanted, timeout=wall_seconds + GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if cancel is not None and cancel.done():
            await asyncio.wait({work}, timeout=GRACE_SECONDS)

    def _checked(self, outcome: object, result_bytes: int) -> Outcome:
        if not isinstance(outcome, Outcome) or outcome.status not in ENDS:
            logger.error("%s gave %r as the end of a run", self._words, outcome)
            return Outcome(RunStatus.CRASHED, error=f"{self._words} gave no outcome of the run")
        given = (outcome.result, outcome.info, outcome.calls)
        problem = next(filter(None, (_problem_with(one, result_bytes) for one in given)), None)
        if problem:
            note = f"{self._words} gave {problem}"
            return replace(outcome, result=None, info=None, calls=None, result_note=note)
        return outcome


def _problem_with(value: Any, most_bytes: int) -> str | None:
    """Say why a value cannot be kept, or return None."""
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return "a result that is no plain data"
    return None if size <= most_bytes else f"a result of more than {format_size(most_bytes)}"
