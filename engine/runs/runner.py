"""Carries out one run: the sandbox executes its Lua, and its core calls are answered here.

The runner knows no schedule and no database. It takes a `RunRequest`, which could have come from another
machine, and gives an `Outcome`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cache
from time import perf_counter
from typing import Any

from engine.calls.core import CoreCall, CoreFunction, CoreModule, Documents, RunControl, RunInfo, RunProgress
from engine.calls.deadline import Deadline, OutOfTime
from engine.calls.jobcontrol import JobControl
from engine.calls.masking import MaskedDocuments, MaskedJob, MaskedRuns, Masking
from engine.calls.permissions import PermissionMode, Permissions
from engine.calls.problems import Problems
from engine.calls.resources import Resources
from engine.calls.stopping import Stopping
from engine.calls.tally import CUT_OFF, Tally
from engine.errors import CoreError
from engine.extensions.modules import Unready
from engine.extensions.runlog import RunLog
from engine.run import Outcome, RunRequest, UsedModule
from engine.sandbox.pool import WorkerPool
from engine.sandbox.program import Ending, EndKind, Program
from engine.sandbox.values import json_ready
from engine.states import Returned, RunStatus

logger = logging.getLogger("moontide.runner")

#: What becomes of the run for each way in which a sandboxed program can end.
STATUS_OF_END = {
    EndKind.RETURNED: RunStatus.COMPLETE,
    EndKind.BAD_RETURN: RunStatus.ERROR,
    EndKind.LUA_ERROR: RunStatus.ERROR,
    EndKind.MEMORY: RunStatus.ERROR,
    EndKind.LIMIT: RunStatus.ERROR,
    EndKind.WALL: RunStatus.TIMEOUT,
    EndKind.CPU: RunStatus.TIMEOUT,
    EndKind.CRASHED: RunStatus.CRASHED,
    EndKind.LOST: RunStatus.CRASHED,
    EndKind.CANCELLED: RunStatus.CANCELLED,
}

#: The one-way call by which the sandbox tells that it sends no more lines.
LOG_CUT = "log.cut"

Library = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Means:
    """What the core calls of all runs are answered with.

    Attributes:
        services: what the modules' own services yielded, by the module's name.
        runs: gives the control of runs that others ask for. It is made after the runner, whose runs it
            hands out.
        own_job: gives what runs may ask about their own job, made later likewise.
        library: answers `require`: gives the source of a module by its name.
    """

    functions: Mapping[str, CoreFunction]
    services: Mapping[str, Any]
    documents: Documents
    runs: Callable[[], RunControl]
    own_job: Callable[[], JobControl]
    library: Library
    mode: PermissionMode


class Runner:
    """Executes runs in the local worker pool."""

    def __init__(
        self,
        *,
        pool: WorkerPool,
        modules: Mapping[str, CoreModule],
        services: Mapping[str, Any],
        documents: Documents,
        runs: Callable[[], RunControl],
        own_job: Callable[[], JobControl],
        library: Library,
        mode: PermissionMode,
    ) -> None:
        """Make a runner.

        Args:
            services, runs, own_job, library: see `Means`. `runs` and `own_job` are called once, when a run
                calls for the first time.
        """
        self._pool = pool
        self.services = services
        self.means = Means(
            functions={f.path: f for module in modules.values() for f in module.functions.values()},
            services=services,
            documents=documents,
            runs=cache(runs),
            own_job=cache(own_job),
            library=library,
            mode=mode,
        )

    def serving(
        self, *, documents: Documents, runs: RunControl, own_job: JobControl, library: Library
    ) -> Runner:
        """Return a runner like this one that asks others for what is not of this process."""
        other = copy(self)
        other.means = replace(
            self.means, documents=documents, runs=lambda: runs, own_job=lambda: own_job, library=library
        )
        return other

    async def run(
        self, request: RunRequest, *, log: RunLog, cancel: asyncio.Future[str] | None = None
    ) -> Outcome:
        """Carry out one run.

        Args:
            log: takes each line that the run writes.
            cancel: resolved with a reason, it stops the run; a `Stopping` can ask the run before.

        Returns:
            how it ended; whatever the job does, no exception comes of it.
        """
        stopping = cancel if isinstance(cancel, Stopping) else Stopping()
        host = RunHost(self.means, request, log, stopping)
        try:
            ending = await self._pool.run(_program(request), host, cancel)
        finally:
            await host.close()
        if host.refusals:
            log.write("warn", f"calls refused in this run: {host.refusals}; its allow does not list them")
        return _outcome(ending, log.masking, host)


class RunHost:
    """Answers what one run asks of the engine.

    What only calls need is made at the first one: many runs make none.
    """

    def __init__(self, means: Means, request: RunRequest, log: RunLog, stopping: Stopping) -> None:
        self._means = means
        self._request = request
        self._log = log
        self.stopping = stopping
        self._progress = RunProgress(info_bytes=request.limits.result_bytes)
        self._call: CoreCall | None = None
        self._deadline: Deadline | None = None
        self._calls: dict[str, CoreCall] = {}
        self._modules: dict[str, UsedModule] = {}
        self._tally = log.tally = Tally()

    async def call(self, method: str, args: list[Any]) -> list[Any]:
        """Carry out a core function and return its values.

        Raises:
            CoreError: for `nil, message, code` in Lua, also when the function itself broke.
        """
        began = perf_counter()
        self._tally.asked = method, began
        error: str | None = CUT_OFF
        try:
            values = await self._answer(method, args)
        except CoreError as refused:
            error = refused.message
            raise
        else:
            error = None
            return values
        finally:
            self._tally.add(method, began, error)

    async def _answer(self, method: str, args: list[Any]) -> list[Any]:
        function = self._function(method)
        arguments = self._bind(function, args)
        self._check_permission(function, arguments)
        try:
            answer = await self._carry_out(function, arguments)
        except CoreError:
            raise
        except OutOfTime as error:
            raise CoreError(f"core.{method}: no answer within {function.timeout_seconds:g} s") from error
        except Exception as error:
            logger.exception("core.%s failed in run %s", method, self._request.run_id)
            raise CoreError(f"core.{method} failed inside its plugin; the engine's log says more") from error
        return list(answer) if isinstance(answer, tuple) else [answer]

    def notify(self, method: str, args: list[Any]) -> None:
        """Carry out a one-way function; what goes wrong there is logged, the run goes on."""
        if method == LOG_CUT:
            self._log.end()
            return
        try:
            function = self._function(method)
            call = self._calls.get(function.module) or self._call_of(function)
            function.call(call, *function.bind(args))
        except CoreError as error:
            self._log.write("warn", error.message)
        except Exception:
            logger.exception("core.%s failed in run %s", method, self._request.run_id)

    @property
    def info(self) -> Any:
        """What the run told of itself, ready for JSON."""
        return json_ready(self._progress.info)

    @property
    def calls(self) -> list[dict[str, Any]] | None:
        """What its calls took."""
        return self._tally.listed

    @property
    def problems(self) -> Problems:
        """What the run told that went wrong."""
        return self._progress.problems

    async def require(self, module: str) -> bytes:
        """Return the source of a library module."""
        text = await self._means.library(module)
        self._modules[module] = UsedModule(module, hashlib.sha256(text).hexdigest(), text)
        return text

    @property
    def modules(self) -> tuple[UsedModule, ...]:
        """The library modules that the run asked for, in the order of their names."""
        return tuple(module for _, module in sorted(self._modules.items()))

    def _function(self, method: str) -> CoreFunction:
        function = self._means.functions.get(method)
        if function is None:
            raise CoreError(f"core.{method[:80]} does not exist")
        return function

    @property
    def refusals(self) -> int:
        """How many calls the job's `allow` does not list."""
        return self._call.permissions.refusals if self._call is not None else 0

    async def close(self) -> None:
        """Close what the run holds open."""
        if self._deadline is not None:
            self._deadline.close()
        if self._call is not None:
            await self._call.resources.close()

    def _limit(self) -> Deadline:
        if self._deadline is None:
            self._deadline = Deadline()
        return self._deadline

    def _bind(self, function: CoreFunction, args: list[Any]) -> list[Any]:
        try:
            return function.bind(args)
        except CoreError as error:
            # A job that does not look at the answer has a bug that nobody would see.
            self._log.write("warn", error.message)
            raise

    def _check_permission(self, function: CoreFunction, arguments: list[Any]) -> None:
        if function.free:
            return
        # Asked for in each mode: it refuses what no job may reach, such as a path that leads out.
        wanted = function.needs(*arguments) if function.needs else ()
        if self._means.mode is not PermissionMode.OPEN:
            self._any_call().permissions.check(function.module, wanted)

    def _call_of(self, function: CoreFunction) -> CoreCall:
        """Return what the functions of a module are called with, and keep it for the next ones."""
        service = self._means.services.get(function.module)
        if isinstance(service, Unready):
            # Not the reason itself: a stranger's words may hold what jobs are not to see.
            raise CoreError(f"core.{function.module} is out of order; `moontide plugins` shows why")
        call = replace(self._any_call(), service=service)
        self._calls[function.module] = call
        return call

    def _any_call(self) -> CoreCall:
        """Return what the calls of all modules have in common."""
        if self._call is None:
            self._call = self._first_call()
        return self._call

    def _first_call(self) -> CoreCall:
        means, request, log = self._means, self._request, self._log
        permissions = Permissions(
            job=request.job,
            mode=means.mode,
            allow=request.allow,
            refused=lambda words: log.write("warn", words),
        )
        return CoreCall(
            run=_run_info(request),
            log=log.write,
            documents=MaskedDocuments(means.documents, log.masking),
            runs=MaskedRuns(means.runs(), log.masking),
            own_job=MaskedJob(means.own_job(), log.masking),
            resources=Resources(),
            permissions=permissions,
            hide=log.masking.hide,
            progress=self._progress,
            stopping=self.stopping,
        )

    def _carry_out(self, function: CoreFunction, arguments: list[Any]) -> Coroutine[Any, Any, Any]:
        call = self._calls.get(function.module) or self._call_of(function)
        work: Coroutine[Any, Any, Any] = (
            function.call(call, *arguments)
            if function.is_async
            else asyncio.to_thread(function.call, call, *arguments)
        )
        seconds = function.timeout_seconds
        return work if seconds is None else self._limit().within(seconds, work)


def _run_info(request: RunRequest) -> RunInfo:
    return RunInfo(
        run_id=request.run_id,
        job=request.job,
        trigger=request.trigger.value,
        attempt=request.attempt,
        due=request.due,
        user_id=request.user_id,
        timezone=request.timezone,
        settings=request.settings,
    )


def _program(request: RunRequest) -> Program:
    context = {
        "id": request.run_id,
        "job": request.job,
        "attempt": request.attempt,
        "trigger": request.trigger.value,
        "due": request.due.isoformat(),
        "user_id": request.user_id,
        "data": {} if request.data is None else request.data,
    }
    return Program(
        name=f"{request.job}.lua",
        source=request.source,
        context=context,
        timezone=request.timezone,
        limits=request.limits,
    )


def _outcome(ending: Ending, masking: Masking, host: RunHost) -> Outcome:
    status, error = _judged(ending, host)
    return Outcome(
        status=status,
        returned=ending.returned,
        retry_seconds=ending.retry_seconds,
        result=masking.data(ending.result),
        info=masking.data(host.info),
        problems=masking.data(host.problems.listed),
        calls=masking.data(host.calls),
        result_note=None if ending.result_note is None else masking.text(ending.result_note),
        error=None if error is None else masking.text(error),
        duration_seconds=ending.duration_seconds,
        cpu_seconds=ending.cpu_seconds,
        peak_memory_bytes=ending.peak_memory_bytes,
        modules=host.modules,
        blameless=ending.kind is EndKind.LOST,
    )


def _judged(ending: Ending, host: RunHost) -> tuple[RunStatus, str | None]:
    """Return a run's final status and error: what its code came to is not the last word of some runs."""
    status, problems = STATUS_OF_END[ending.kind], host.problems
    if host.stopping.told and status in (RunStatus.COMPLETE, RunStatus.ERROR):
        why = host.stopping.reason
        return RunStatus.CANCELLED, why if ending.error is None else f"{why}; then: {ending.error}"
    if status is not RunStatus.COMPLETE:
        return status, ending.error
    if ending.returned is Returned.RETRY:
        return RunStatus.ERROR, problems.error or "job.RETRY returned"
    return (RunStatus.ERROR, problems.error) if problems.error else (status, None)
