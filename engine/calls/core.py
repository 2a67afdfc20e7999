"""How functions get into the Lua `core` table: `CoreModule`, and what a function sees of its run.

One declaration gives the call, its argument checks and its documentation. A module may bring a Lua
facade, a small program that runs inside the sandbox and shapes the plain functions into what job files
use; it can only call what the module declares.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol, get_type_hints

import msgspec

from engine.calls.arguments import REQUIRED, Argument
from engine.calls.jobcontrol import JobControl
from engine.calls.permissions import Permissions
from engine.calls.problems import Problems
from engine.calls.resources import Resources
from engine.calls.stopping import Stopping
from engine.errors import CoreError, PluginError
from engine.views import JobView

#: Fields with their directions, 1 or -1; the first one counts most.
Sort = Sequence[tuple[str, int]]


class Documents(Protocol):
    """JSON documents by source name, kept in the engine's database."""

    async def get(self, source: str, document_id: str) -> dict[str, Any] | None:
        """Return the document with its `_id`, or None."""

    async def find(
        self, source: str, query: dict[str, Any], *, sort: Sort = (), offset: int = 0, limit: int
    ) -> list[dict[str, Any]]:
        """Return documents that match `query`, sorted by some fields and then by their ids.

        Raises:
            CoreError: 801 for a query that cannot be understood.
        """

    async def save(self, source: str, document: dict[str, Any]) -> str:
        """Write a document, new without `_id` and replaced with one; return its id once it is durable."""

    async def delete(self, source: str, document_id: str) -> bool:
        """Remove a document; return whether it was there."""


@dataclass(frozen=True, slots=True)
class RunStanding:
    """Where a run stands that `core.jobs` asks for.

    Attributes:
        status: a `RunStatus` value; PLANNED before its time has come.
        returned: OK, SLEEP, STOP, EXIT or RETRY, once it returned one of them.
    """

    id: int
    job: str
    status: str
    trigger: str
    due: datetime
    started: datetime | None = None
    finished: datetime | None = None
    returned: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ScheduleStanding:
    """Where a schedule stands that was given at run time.

    Attributes:
        status: a `ScheduleStatus` value; ACTIVE while it makes runs.
        schedule: what makes it due, in words.
        last_run_id: the latest run that it made; of a single run, that run.
    """

    id: int
    job: str
    status: str
    schedule: str
    due: datetime | None
    user_id: int
    tag: str
    data: Any
    last_run_id: int | None


class RunControl(Protocol):
    """Runs that other runs ask for. Whatever cannot be done is a `CoreError` with words for the job."""

    async def now(self, job: str, data: Any, *, by: RunInfo) -> int:
        """Run a job as soon as it may; return the run's id once its row is committed."""

    async def at(self, due: datetime, job: str, data: Any, *, by: RunInfo) -> int:
        """Plan a run for a time to come, at once if it has passed; return its id once that is committed."""

    async def cancel(self, run_id: int, *, by: RunInfo) -> bool:
        """End a planned, queued or running run as CANCELLED; return False if it had ended already."""

    async def status(self, run_id: int) -> RunStanding:
        """Return where a run stands."""

    async def schedule(self, job: str, options: dict[str, Any], *, by: RunInfo) -> tuple[int, int | None]:
        """Give a job a schedule; return its id, and that of its run if it is for a single one."""

    async def unschedule(self, schedule_id: int, *, by: RunInfo) -> bool:
        """End a schedule as CANCELLED; return False if it had ended already."""

    async def schedules(self, job: str, user_id: int | None) -> list[ScheduleStanding]:
        """Return the schedules of a job that are in force, the newest first."""

    async def schedule_standing(self, schedule_id: int) -> ScheduleStanding:
        """Return where a schedule stands."""


class NoEngine:
    """What stands for `RunControl` where one file runs without an engine."""

    async def now(self, job: str, data: Any, *, by: RunInfo) -> int:
        """Answer that there is no engine."""
        raise _no_engine()

    async def at(self, due: datetime, job: str, data: Any, *, by: RunInfo) -> int:
        """Answer that there is no engine."""
        raise _no_engine()

    async def cancel(self, run_id: int, *, by: RunInfo) -> bool:
        """Answer that there is no engine."""
        raise _no_engine()

    async def status(self, run_id: int) -> RunStanding:
        """Answer that there is no engine."""
        raise _no_engine()

    async def schedule(self, job: str, options: dict[str, Any], *, by: RunInfo) -> tuple[int, int | None]:
        """Answer that there is no engine."""
        raise _no_engine()

    async def unschedule(self, schedule_id: int, *, by: RunInfo) -> bool:
        """Answer that there is no engine."""
        raise _no_engine()

    async def schedules(self, job: str, user_id: int | None) -> list[ScheduleStanding]:
        """Answer that there is no engine."""
        raise _no_engine()

    async def schedule_standing(self, schedule_id: int) -> ScheduleStanding:
        """Answer that there is no engine."""
        raise _no_engine()


def _no_engine() -> CoreError:
    return CoreError("no engine is running", 810)


#: How long a core call may take, where its declaration says nothing else.
CALL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What a module's service may know of the engine that opens it.

    Attributes:
        home: the engine's home folder, where moontide.toml stands; absolute.
        settings: the checked settings of all modules, by the module's name; for a module that keeps the
            rules of another.
        find_job: gives a job as the API shows it, with all of its settings, or None if there is none of that
            name; for the engine's loop. A run without an engine has no jobs to be found.
    """

    home: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    find_job: Callable[[str], JobView | None] = lambda name: None


#: From a module's checked settings and its surroundings to what its functions find in `call.service`.
OpenService = Callable[[Any, ServiceContext], AbstractAsyncContextManager[Any]]

#: From a call's checked arguments to what it wants to reach.
Needs = Callable[..., Sequence[str]]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a core function may know of the run that calls it.

    Attributes:
        timezone: of the job, an IANA name.
        settings: the job's values of the settings that plugins add, by name.
    """

    run_id: int
    job: str
    trigger: str
    attempt: int
    due: datetime
    user_id: int = 0
    timezone: str = "UTC"
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class RunProgress:
    """What a run has told of itself so far.

    Attributes:
        info: kept with the run, however it ends.
        info_bytes: the most that it may have as JSON.
        problems: what went wrong without ending it.
    """

    info_bytes: int
    info: Any = None
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True, slots=True)
class CoreCall:
    """The first argument of each core function.

    Attributes:
        run: the run that calls.
        log: writes a line (level, text) to the run's log.
        documents: the engine's document store.
        runs: runs that this one asks for.
        own_job: what the run may ask about its own job.
        resources: keeps things open until the run ends.
        permissions: for what a call wants to reach beyond what its declaration tells (`needs`).
        hide: masks a secret in everything that this run leaves behind.
        progress: what the run has told of itself.
        stopping: whether the run is to come to its end, and a pause that this cuts short.
        service: what the module's own service yielded, None without one.
    """

    run: RunInfo
    log: Callable[[str, str], None]
    documents: Documents
    runs: RunControl
    own_job: JobControl
    resources: Resources
    permissions: Permissions
    hide: Callable[[str], None]
    progress: RunProgress
    stopping: Stopping
    service: Any = None


@dataclass(frozen=True, slots=True)
class CoreFunction:
    """One function that Lua may call, with its argument checks.

    Attributes:
        arguments: what is checked of each parameter.
        timeout_seconds: how long a call may take; None leaves it to the run's own limits.
        needs: tells from the arguments what the call wants to reach, for the permission check.
        free: every job may call it, whatever its permissions.
        large: its arguments may have 17 MB together, those of others 1 MB.
        path: the name as the error messages give it, such as `data.save`.
        label: the name as job files use it, such as `core.data.save`, or `job.save_info` at job objects.
    """

    module: str
    name: str
    call: Callable[..., Any]
    parameters: tuple[inspect.Parameter, ...]
    arguments: tuple[Argument, ...]
    types: dict[str, Any] = field(default_factory=dict)
    one_way: bool = False
    is_async: bool = False
    timeout_seconds: float | None = None
    needs: Needs | None = None
    free: bool = False
    large: bool = False
    path: str = field(init=False)
    label: str = field(init=False)

    def __post_init__(self) -> None:
        path = f"{self.module}.{self.name}"
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "label", path if self.module == "job" else f"core.{path}")

    def bind(self, values: list[Any]) -> list[Any]:
        """Check and convert what Lua passed.

        Raises:
            CoreError: 804 for a missing argument, 801 for one of the wrong type.
        """
        label, bound = self.label, []
        for argument, value in zip_longest(self.arguments, values[: len(self.arguments)]):
            bound.append(argument.take(label, value))
        return bound


class CoreModule:
    """A table (or function) below `core`, made of Python functions and an optional Lua facade."""

    def __init__(
        self,
        name: str,
        *,
        summary: str,
        facade: str | None = None,
        settings: type[msgspec.Struct] | type[dict[str, Any]] | None = None,
        free: bool = False,
    ) -> None:
        """Declare a module.

        Args:
            name: the key below `core`, a Lua name such as `slack`.
            summary: one sentence for `moontide plugins` and the reference.
            facade: Lua text that gets the declared functions as its argument `...` and returns what
                becomes `core.<name>`; without one, the functions themselves are the table. Its LuaLS comments
                (`---@param`, `---@class` ...) are what editors and the reference show of it.
            settings: the module's own table in moontide.toml, of the module's name: a Struct with its keys,
                or `dict[str, SomeStruct]` for tables with names of the operator's, such as `[mysql.shop]`.
            free: every job may use it, whatever its permissions; for modules that reach nothing.
        """
        if not (name.isascii() and name.isidentifier()):
            raise PluginError(f"core module name {name!r} must be a Lua name of ASCII letters and digits")
        self.name = name
        self.summary = summary
        self.facade = facade
        self.settings = settings
        self.free = free
        self.open_service: OpenService | None = None
        self.functions: dict[str, CoreFunction] = {}

    def service(self, opened: OpenService) -> OpenService:
        """Declare what the module needs while the engine runs, such as a client or a pool.

        The function is an async context manager. It gets the module's settings (None if it declares none)
        and a `ServiceContext`, and yields what its functions find in `call.service`; it is entered as the
        engine starts and left as it stops.
        """
        self.open_service = opened
        return opened

    def function(
        self,
        name: str | None = None,
        *,
        one_way: bool = False,
        timeout_seconds: float | None = CALL_SECONDS,
        needs: Needs | None = None,
        large: bool = False,
    ) -> Callable[[Callable[..., Any]], Any]:
        """Declare a function: its first parameter is the `CoreCall`, the others come from Lua.

        Coroutine functions run on the engine's loop, plain ones in a thread. What is returned must be
        plain data (None, bool, int, float, str, bytes, list, dict); a tuple becomes several Lua values.

        Args:
            name: the Lua name, if another than the Python one.
            one_way: the call is sent without waiting for an answer; the function must be plain and quick,
                and runs on the loop.
            timeout_seconds: how long a call may take; None leaves it to the run's own limits.
            needs: called with the checked arguments; returns what the call wants to reach (hosts, databases,
                paths), for the permission check.
            large: the arguments may have 17 MB together as they travel, in place of 1 MB. The function has to
                bear that: what takes long with so much belongs into a thread.
        """

        def declare(function: Callable[..., Any]) -> Callable[..., Any]:
            parameters = tuple(inspect.signature(function).parameters.values())[1:]
            types = get_type_hints(function)
            lua_name = name or function.__name__
            self.functions[lua_name] = CoreFunction(
                module=self.name,
                name=lua_name,
                call=function,
                parameters=parameters,
                arguments=tuple(_argument(one, types) for one in parameters),
                types=types,
                one_way=one_way,
                is_async=inspect.iscoroutinefunction(function),
                timeout_seconds=timeout_seconds,
                needs=needs,
                free=self.free,
                large=large,
            )
            return function

        return declare


def _argument(parameter: inspect.Parameter, types: Mapping[str, Any]) -> Argument:
    default = REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default
    return Argument(parameter.name, types.get(parameter.name, Any), default)


@dataclass(frozen=True, slots=True)
class ModuleManifest:
    """What a worker must know of a core module: names and the facade's text, never Python objects."""

    name: str
    functions: tuple[str, ...]
    one_way: tuple[str, ...]
    facade: str | None
    large: tuple[str, ...] = ()


def manifest_of(module: CoreModule) -> ModuleManifest:
    """Return a module's description for the workers."""
    return ModuleManifest(
        name=module.name,
        functions=tuple(name for name, f in module.functions.items() if not f.one_way),
        one_way=tuple(name for name, f in module.functions.items() if f.one_way),
        facade=module.facade,
        large=tuple(name for name, f in module.functions.items() if f.large),
    )
